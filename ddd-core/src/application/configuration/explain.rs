use std::fmt;

use crate::domain::{Node, NodeValue};

/// What a name has in it whose value nobody is to see.
const SECRET_WORDS: [&str; 8] =
    ["password", "secret", "token", "api_key", "access_key", "private_key", "credential", "authorization"];

/// Every setting of a configuration, by name. Its `Display` is a table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Explained {
    /// The settings.
    pub settings: Vec<ExplainedSetting>,
}

/// A setting, and where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ExplainedSetting {
    /// Its name, the parts joined by dots.
    pub key: String,
    /// Its value as text; `***` if it is a secret.
    pub value: String,
    /// Where it comes from: `default`, a file and line, a variable, or `code`.
    pub origin: String,
}

impl Explained {
    pub(super) fn of(tree: &Node, secrets: &[Vec<String>]) -> Self {
        let mut settings = Vec::new();
        collect(tree, &mut Vec::new(), secrets, &mut settings);
        Self { settings }
    }
}

fn collect(node: &Node, path: &mut Vec<String>, secrets: &[Vec<String>], settings: &mut Vec<ExplainedSetting>) {
    if let NodeValue::Map(entries) = &node.value
        && !(entries.is_empty() && path.is_empty())
        && !path.last().is_some_and(|it| has_secret_word(it))
    {
        for (key, below) in entries {
            path.push(key.clone());
            collect(below, path, secrets, settings);
            path.pop();
        }
        return;
    }
    let value = match is_secret(path, secrets) {
        true => "***".to_owned(),
        false => shown(node),
    };
    settings.push(ExplainedSetting { key: path.join("."), value, origin: node.origin.to_string() });
}

/// Whether a setting says by its name that it is secret, stands in what is one, or holds one.
fn is_secret(path: &[String], secrets: &[Vec<String>]) -> bool {
    path.last().is_some_and(|it| has_secret_word(it))
        || secrets.iter().any(|it| it.starts_with(path) || path.starts_with(it))
}

fn has_secret_word(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|it| name.contains(it))
}

/// The text of a setting as anybody may see it.
pub(super) fn shown_text(key: &str, text: &str) -> String {
    if key.split('.').any(has_secret_word) { "***".to_owned() } else { without_credentials(text) }
}

fn shown(node: &Node) -> String {
    match &node.value {
        NodeValue::Null => "(not set)".to_owned(),
        NodeValue::Bool(it) => it.to_string(),
        NodeValue::Integer(it) => it.to_string(),
        NodeValue::Float(it) => it.to_string(),
        NodeValue::Text(it) | NodeValue::Untyped(it) => without_credentials(it),
        NodeValue::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        NodeValue::Map(_) => "{}".to_owned(),
    }
}

/// A text without what is secret in the URLs in it: what stands between `://` and the last `@` (a password may have any sign in
/// it), and values whose names say that they are secret.
fn without_credentials(text: &str) -> String {
    let starts = text.match_indices("://").map(|it| it.0).enumerate();
    // What is no new URL belongs to the password of the one before.
    let starts = starts.filter(|(number, at)| *number == 0 || begins_url(&text[..*at])).map(|it| it.1 + "://".len());
    let starts: Vec<_> = starts.chain([text.len()]).collect();
    let mut shown = text[..starts[0]].to_owned();
    for part in starts.windows(2).map(|it| &text[it[0]..it[1]]) {
        let masked = without_secret_values(part);
        match (part.rfind('@'), masked.rfind('@')) {
            (None, _) => shown.push_str(&masked),
            (Some(at), Some(left)) if without_secret_values(&part[at..]) == masked[left..] => {
                shown.extend(["***", &masked[left..]]);
            }
            // It stands in a secret value, and the rest of that behind it.
            _ => shown.push_str("***"),
        }
    }
    without_secret_values(&shown)
}

/// Whether a text ends with what is the scheme of a URL, apart from what is before it.
fn begins_url(before: &str) -> bool {
    let is_of_scheme = |it: char| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.');
    let apart = before.trim_end_matches(is_of_scheme);
    apart.len() < before.len() && apart.ends_with(|it: char| it.is_whitespace() || ",;|\"'".contains(it))
}

/// A text with `***` for each value in it whose name says that it is secret: `name=value`, up to the next `&` or space.
fn without_secret_values(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        shown.extend([before, "="]);
        rest = after;
        let name = before.rsplit(|it: char| it.is_whitespace() || "?&;,#".contains(it)).next().unwrap_or_default();
        if has_secret_word(name) {
            shown.push_str("***");
            // A value in quotes may have anything in it.
            let is_quoted = after.starts_with(['"', '\'']);
            let end = after.find(|it: char| it.is_whitespace() || it == '&').filter(|_| !is_quoted);
            rest = &after[end.unwrap_or(after.len())..];
        }
    }
    shown + rest
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&ExplainedSetting) -> &str| self.settings.iter().map(|it| of(it).chars().count()).max();
        let key = width(|it| &it.key).unwrap_or_default();
        let value = width(|it| &it.value).unwrap_or_default().min(60);
        for it in &self.settings {
            writeln!(f, "{:key$}  {:value$}  {}", it.key, it.value, it.origin)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_urls_are_hidden() {
        let cases = [
            ("postgres://app:hunter2@db:5432/x?y=1", "postgres://***@db:5432/x?y=1"),
            ("redis://:p@ss@host", "redis://***@host"),
            ("plain", "plain"),
            ("https://example.org/a?b=c", "https://example.org/a?b=c"),
            ("a=b@c", "a=b@c"),
            // A password may have any sign in it.
            ("postgres://app:p/ss@db", "postgres://***@db"),
            ("postgres://app:p?s#s@db/x", "postgres://***@db/x"),
            ("postgres://app:a://b@db", "postgres://***@db"),
            ("redis://:a@h1,redis://:b@h2", "redis://***@h1,redis://***@h2"),
            ("http://h1 amqp+tls://a:b@h2", "http://h1 amqp+tls://***@h2"),
            ("://", "://"),
            ("postgres://db/x?user=a&password=hunter2", "postgres://db/x?user=a&password=***"),
            ("postgres://a:b@db/x?password=hun@ter2", "postgres://***"),
            ("postgres://a:b&token=c@db", "postgres://***"),
            ("postgres://db/x?sslPassword=hunter2&y=1", "postgres://db/x?sslPassword=***&y=1"),
            ("host=db password=hunter2 user=a", "host=db password=*** user=a"),
            ("Host=db;Password=hunt=er;2", "Host=db;Password=***"),
            ("host=db password='hunter 2' user=a", "host=db password=***"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_credentials(text), expected);
        }
    }
}
