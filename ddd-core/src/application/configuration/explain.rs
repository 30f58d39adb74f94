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
        && !is_secret(path, secrets)
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

fn is_secret(path: &[String], secrets: &[Vec<String>]) -> bool {
    let name = path.last().map(|it| it.to_ascii_lowercase()).unwrap_or_default();
    SECRET_WORDS.iter().any(|it| name.contains(it)) || secrets.iter().any(|it| it == path)
}

/// The text of a setting as anybody may see it.
pub(super) fn shown_text(key: &str, text: &str) -> String {
    let path: Vec<_> = key.split('.').map(str::to_owned).collect();
    if is_secret(&path, &[]) { "***".to_owned() } else { without_credentials(text) }
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

/// A URL without what stands between `://` and `@`; any other text as it is.
fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => text.to_owned(),
    }
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
            ("https://example.org/a@b", "https://example.org/a@b"),
            ("plain", "plain"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_credentials(text), expected);
        }
    }
}
