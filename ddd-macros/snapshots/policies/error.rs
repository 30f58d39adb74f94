::core::compile_error! {
    "`max_attempts` counts the first run; write a number from 1 to 4294967295"
}
::core::compile_error! {
    "`duration` is a duration: a whole number and a unit: `250ms`, `30s`, `5m`, `2h` or `1d`; write `duration = \"5s\"` if these are seconds"
}
/// Loads.
#[instrument]
pub async fn load(&self, #[allow(unused)] mut id: u64) -> Result<u64, Refused> {
    self.find(id).await
}
