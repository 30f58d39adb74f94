//! A task with dependencies, and one that only this program submits.

use std::sync::atomic::{AtomicU64, Ordering};

use ddd_core::{App, SubmitError, task};

/// Counts guests. Provided once, by value.
#[derive(Debug, Default)]
pub struct Guestbook {
    greeted: AtomicU64,
    written: AtomicU64,
}

/// Greets a guest, and has the guestbook written by a task of its own: its record names this one as its parent.
#[task(category = "guests")]
pub async fn greet(name: String, #[inject] book: &Guestbook, #[inject] app: App) -> Result<String, SubmitError> {
    let number = book.greeted.fetch_add(1, Ordering::Relaxed) + 1;
    app.submit(write_guestbook { name: name.clone() }).await?;
    Ok(format!("Hello, {name}! You are guest number {number}."))
}

/// Writes a name into the guestbook. Internal: out of reach over HTTP, so nobody writes without having been greeted.
#[task(internal, category = "guests")]
pub async fn write_guestbook(name: String, #[inject] book: &Guestbook) -> Result<u64, String> {
    if name.is_empty() {
        return Err("a guest without a name".to_owned());
    }
    Ok(book.written.fetch_add(1, Ordering::Relaxed) + 1)
}

/// Logs a guest in. The password is stored as it is, and shown as `***`.
#[task(category = "guests")]
pub async fn log_in(user: String, #[secret] password: String) -> Result<bool, String> {
    Ok(!user.is_empty() && password.chars().count() >= 8)
}
