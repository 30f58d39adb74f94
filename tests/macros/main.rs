//! What `#[task]` makes of functions, seen through the public interface.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use ddd_core::{Task, TaskContext, task};

/// Counts words.
#[task]
async fn count_words(
    /// The text.
    text: String,
) -> Result<usize, std::io::Error> {
    Ok(text.split_whitespace().count())
}

#[task("other", queue = "documents", priority = -5, timeout = "5m",
    retry(max_attempts = 5, delay = "1s", backoff = 2, max_delay = "1h", jitter = false),
    unique(by = (a, b), for = "1h"), concurrency(limit = 2, key = b), result_ttl = "250ms", version = 2, category = "c", tags("x", "y"), internal)]
pub fn blocking(a: u32, #[secret] b: String, #[inject] c: &u64, #[inject] d: TaskContext) {
    let _ = (a, b, c, d);
}

#[task(remote, command = Far)]
async fn far(x: u8) -> Result<u8, String>;

#[task(schedule(cron = "* * * * *"))]
async fn tick() {}

#[test]
fn first() {
    println!("{:#?}", count_words::definition());
    println!("{:#?}", blocking::definition());
    println!("{:?}", blocking { a: 1, b: "x".into() });
    println!("{:?}", blocking { a: 1, b: "x".into() }.keys());
    println!("{:?}", Far { x: 1 });
    println!("{:?}", tick {});
}
