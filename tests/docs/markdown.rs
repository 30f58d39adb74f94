//! As much of Markdown as the checks need: fenced blocks, links and the anchors of headings.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) fences: Vec<Fence>,
    /// Targets of inline and reference links, with their lines.
    pub(crate) links: Vec<(usize, String)>,
    pub(crate) anchors: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Fence {
    pub(crate) line: usize,
    /// What follows the opening backticks.
    pub(crate) info: String,
    /// The first line of the block.
    pub(crate) first: String,
}

impl Fence {
    pub(crate) fn is_rust(&self) -> bool {
        is_rust(&self.info)
    }
}

/// Whether rustdoc takes a block for Rust: it says `rust`, or nothing, or only words that are about Rust.
pub(crate) fn is_rust(info: &str) -> bool {
    let mut words = info.split([',', ' ', '{', '}']).filter(|it| !it.is_empty()).peekable();
    let about_rust = |word: &str| {
        matches!(word, "rust" | "should_panic" | "no_run" | "compile_fail" | "test_harness" | "standalone_crate")
            || word.starts_with("ignore")
            || word.starts_with("edition")
            || (word.len() == 5 && word.starts_with('E'))
    };
    words.peek().is_none() || words.any(about_rust)
}

impl Page {
    pub(crate) fn new(text: &str) -> Self {
        let mut page = Self::default();
        let mut fence: Option<String> = None;
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        let mut lines = text.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let trimmed = line.trim_start_matches([' ', '>']);
            let mark: String = trimmed.chars().take_while(|it| *it == '`').collect();
            let mark = if mark.is_empty() { trimmed.chars().take_while(|it| *it == '~').collect() } else { mark };
            match &fence {
                Some(open) => {
                    if mark.len() >= open.len() && mark.starts_with(open.as_str()) && trimmed.trim_end() == mark {
                        fence = None;
                    }
                }
                None if mark.len() >= 3 => {
                    let info = trimmed[mark.len()..].trim().to_owned();
                    let first = lines.peek().map(|(_, it)| it.trim().to_owned()).unwrap_or_default();
                    page.fences.push(Fence { line: index + 1, info, first });
                    fence = Some(mark);
                }
                None => {
                    if let Some(title) = heading(line) {
                        let anchor = anchor(title);
                        let before = known.entry(anchor.clone()).or_default();
                        page.anchors.push(if *before == 0 { anchor } else { format!("{anchor}-{before}") });
                        *before += 1;
                    }
                    page.links.extend(links(line).into_iter().map(|it| (index + 1, it)));
                }
            }
        }
        page
    }
}

fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    ((1..=6).contains(&level) && title.starts_with(' ')).then(|| title.trim())
}

/// As code hosts make it: lower case, spaces to hyphens, punctuation dropped.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn links(line: &str) -> Vec<String> {
    let text = without_code(line);
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once("](") {
        let target = after.split([')', ' ']).next().unwrap_or_default();
        found.push(target.trim_matches(['<', '>']).to_owned());
        rest = after;
    }
    if text.starts_with('[')
        && let Some((_, target)) = text.split_once("]: ")
    {
        found.extend(target.split_whitespace().next().map(str::to_owned));
    }
    found
}

fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

#[test]
fn blocks_are_told_as_rustdoc_does() {
    for rust in
        ["", "rust", "no_run", "rust,ignore", "ignore-windows", "edition2024", "compile_fail,E0277", "should_panic"]
    {
        assert!(is_rust(rust), "{rust}");
    }
    for other in ["text", "toml", "console", "Rust", "rs"] {
        assert!(!is_rust(other), "{other}");
    }
}

#[test]
fn a_page_is_read() {
    let text = "# A title, `with` code\n[one](a.md#x) `[not](b.md)` [two](<c.md> \"title\")\n\n```rust\n# not a title\n\
                [not](x.md)\n```\n> ```toml\n> ```\n- item\n  ````text\n  ```\n  ````\n\n## Twice\n## Twice\n[ref]: d.md\n";
    let page = Page::new(text);
    let fences: Vec<_> = page.fences.iter().map(|it| (it.line, it.info.as_str(), it.first.as_str())).collect();
    assert_eq!(fences, [(4, "rust", "# not a title"), (8, "toml", "> ```"), (11, "text", "```")]);
    assert_eq!(page.anchors, ["a-title-with-code", "twice", "twice-1"]);
    let links: Vec<_> = page.links.iter().map(|it| it.1.as_str()).collect();
    assert_eq!(links, ["a.md#x", "c.md", "d.md"]);
}
