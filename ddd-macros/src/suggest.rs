//! "Did you mean": the known word nearest to one that was written.

/// The word of `known` that `written` most likely stands for, if one is near enough.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|it| (distance(written, it), it))
        .filter(|(distance, it)| *distance <= it.len().max(written.len()) / 3 + 1 && *distance < it.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, it)| it)
}

/// The option that `part` is a part of, and how that is written, for one that was written outside of it.
pub(crate) fn whole(part: &str) -> Option<(&'static str, &'static str)> {
    let whole = match part {
        "max_attempts" => ("retry", "retry(max_attempts = 3)"),
        "delay" => ("retry", "retry(max_attempts = 3, delay = \"1s\")"),
        "backoff" => ("retry", "retry(max_attempts = 3, backoff = 2.0)"),
        "max_delay" => ("retry", "retry(max_attempts = 3, max_delay = \"1h\")"),
        "jitter" => ("retry", "retry(max_attempts = 3, jitter = true)"),
        "limit" => ("concurrency", "concurrency(limit = 2, key = tenant)"),
        "cron" => ("schedule", "schedule(cron = \"0 3 * * *\")"),
        "every" => ("schedule", "schedule(every = \"5m\")"),
        "tz" => ("schedule", "schedule(cron = \"0 3 * * *\", tz = \"Europe/Berlin\")"),
        _ => return None,
    };
    Some(whole)
}

/// Our word for what other libraries call `written`, where no letter would tell.
pub(crate) fn translated(written: &str) -> Option<&'static str> {
    let ours = match written {
        "max_retries" | "retries" | "tries" | "times" => "max_attempts",
        "failure_threshold" => "failure_rate",
        "recovery_timeout" | "reset_timeout" | "timeout" => "open_for",
        "half_open_max_calls" => "probes",
        "period" | "interval" | "seconds" => "per",
        "max_size" | "maxsize" | "size" => "capacity",
        "max_concurrent" | "max_concurrency" => "limit",
        _ => return None,
    };
    Some(ours)
}

/// How many letters must be inserted, dropped, replaced or swapped with their neighbour to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(table[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    table[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_word_that_was_meant() {
        let known = ["queue", "timeout", "priority", "retry", "tags"];
        assert_eq!(nearest("que", known), Some("queue"));
        assert_eq!(nearest("timeuot", known), Some("timeout"));
        assert_eq!(nearest("time_out", known), Some("timeout"));
        assert_eq!(nearest("prio", known), None);
        assert_eq!(nearest("retries", known), Some("retry"));
        assert_eq!(nearest("tag", known), Some("tags"));
        assert_eq!(nearest("colour", known), None);
    }
}
