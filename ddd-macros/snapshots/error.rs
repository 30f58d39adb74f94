::core::compile_error! {
    "`to` is stored before the task runs; write `String`, or mark it `#[inject]` if the application provides it"
}
::core::compile_error! {
    "a queue has a name: a name may not be empty"
}
/// Sends an e-mail.
#[instrument]
async fn send_email(to: &str, #[allow(unused)] mailer: Mailer) {
    mailer.send(to)
}
