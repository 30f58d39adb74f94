//! The documentation keeps its word: every Rust block is compiled, and every link leads somewhere.
//!
//! `tests/lib.rs` includes the pages, so that `cargo test` compiles and runs their blocks; this test makes sure that no
//! page and no block escapes it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod markdown;

use std::{
    fs,
    path::{Path, PathBuf},
};

use markdown::{Fence, Page};

/// Languages of blocks that are there to be read.
const NOT_COMPILED: [&str; 11] =
    ["text", "toml", "sh", "console", "json", "yaml", "sql", "http", "html", "diff", "markdown"];

/// What a Rust block may say of itself: `standalone_crate` keeps its tasks out of the registry of the others.
const COMPILED: [&str; 3] = ["rust", "rust,should_panic", "rust,standalone_crate"];

/// Rust blocks that are not compiled and run, by page and first line, each with its reason. Keep it short.
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    ("docs/macros.md", "/// Counts words.", "what an attribute generates, held by the snapshots of the macros"),
    (
        "docs/policies.md",
        "async fn item(&self, id: u64) -> Result<Arc<Item>, ShopError> {",
        "what attributes generate, held by the snapshots of the macros",
    ),
    ("docs/macros.md", "const _: () = {", "what an attribute generates, held by the snapshots of the macros"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Markdown file of the project, by its path from the root.
fn pages() -> Vec<(String, Page)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = folder.join(&name);
            if entry.file_type().unwrap().is_dir() {
                if !name.starts_with('.') && name != "target" {
                    folders.push(path);
                }
            } else if name.ends_with(".md") {
                let text = fs::read_to_string(root().join(&path)).unwrap();
                found.push((path.to_str().unwrap().replace('\\', "/"), Page::new(&text)));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Whether a page is part of some documentation: this package's, or that of the crate that it lies in.
fn is_included(path: &str) -> bool {
    let (library, page) = match path.split_once("/src/") {
        Some((krate, page)) => (format!("{krate}/src/lib.rs"), page.to_owned()),
        None => ("tests/lib.rs".to_owned(), format!("../{path}")),
    };
    let includes = fs::read_to_string(root().join(library)).unwrap();
    includes.contains(&format!("include_str!(\"{page}\")"))
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_readme_and_every_page_are_compiled() {
    let mut wrong = Vec::new();
    let mut compiled = 0;
    for (path, page) in pages() {
        if is_included(&path) {
            compiled += 1;
        } else if path == "README.md" || path.starts_with("docs/") {
            wrong.push(format!("{path}: tests/lib.rs does not include it"));
        } else if let Some(fence) = page.fences.iter().find(|it| it.is_rust()) {
            wrong.push(format!("{path}:{}: a Rust block on a page that tests/lib.rs does not include", fence.line));
        }
    }
    assert_none(&wrong);
    assert!(compiled >= 3, "{compiled} pages");
}

#[test]
fn every_block_is_compiled_or_says_what_it_is() {
    let mut wrong = Vec::new();
    let mut excepted = [false; EXCEPTIONS.len()];
    for (path, page) in pages() {
        for Fence { line, info, first, .. } in &page.fences {
            if !markdown::is_rust(info) {
                let language = info.split([',', ' ']).next().unwrap_or_default();
                if !NOT_COMPILED.contains(&language) {
                    wrong.push(format!("{path}:{line}: `{language}` is neither Rust nor in NOT_COMPILED"));
                }
            } else if !COMPILED.contains(&info.as_str()) {
                match EXCEPTIONS.iter().position(|(page, start, _)| *page == path && start == first) {
                    Some(index) => excepted[index] = true,
                    None => wrong.push(format!("{path}:{line}: `{info}` is not in EXCEPTIONS")),
                }
            }
        }
    }
    for ((page, start, _), used) in EXCEPTIONS.iter().zip(excepted) {
        if !used {
            wrong.push(format!("EXCEPTIONS: {page} has no block that begins with `{start}`"));
        }
    }
    assert_none(&wrong);
}

#[test]
fn every_relative_link_leads_somewhere() {
    let pages = pages();
    let mut wrong = Vec::new();
    for (path, page) in &pages {
        for (line, target) in &page.links {
            // Paths of items are the documentation build's to check.
            if target.contains("://") || target.starts_with("mailto:") || target.contains("::") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = Path::new(path).parent().unwrap();
            let file = if file.is_empty() { PathBuf::from(path) } else { folder.join(file) };
            let Ok(full) = root().join(&file).canonicalize() else {
                wrong.push(format!("{path}:{line}: {target}: there is no such file"));
                continue;
            };
            let same = |it: &&(String, Page)| root().join(&it.0).canonicalize().is_ok_and(|it| it == full);
            if let Some((_, page)) = pages.iter().find(same)
                && !anchor.is_empty()
                && !page.anchors.iter().any(|it| it == anchor)
            {
                wrong.push(format!("{path}:{line}: {target}: there is no such heading"));
            }
        }
    }
    assert_none(&wrong);
}
