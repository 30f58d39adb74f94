//! The architecture, held by a test: which layer may name which, no import cycles among files, no long files.
//!
//! The checker is tested on trees of `fixtures/`: in those of `bad/`, a line that ends in `//~ rule` must be reported
//! under that rule, and no other line; in those of `good/`, nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod collect;
mod resolve;
mod rules;
mod tokens;
mod tree;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::rules::{Rule, Violation};

const CRATES: [&str; 3] = ["ddd-core", "ddd-macros", "ddd-web"];

fn source_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src")
}

fn assert_none(name: &str, found: &[Violation]) {
    let lines: String = found.iter().map(|it| format!("\n  {name}/src/{it}")).collect();
    assert!(found.is_empty(), "{lines}");
}

#[test]
fn each_layer_names_only_what_it_may() {
    assert_none("ddd-core", &rules::layers(&collect::read(&source_of("ddd-core"))));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for name in CRATES {
        assert_none(name, &rules::cycles(&collect::read(&source_of(name))));
    }
}

#[test]
fn no_file_is_too_long() {
    for name in CRATES {
        assert_none(name, &rules::lengths(&collect::read(&source_of(name))));
    }
}

#[test]
fn every_file_is_part_of_its_crate() {
    for name in CRATES {
        assert_none(name, &rules::unreached(&collect::read(&source_of(name))));
    }
}

/// A checker that sees no paths would pass everything.
#[test]
fn the_checker_sees_the_crate() {
    let tree = collect::read(&source_of("ddd-core"));
    assert!(tree.files.len() > 30, "{} files", tree.files.len());
    let uses: usize = tree.modules.iter().map(|it| it.uses.len()).sum();
    assert!(uses > 1_000, "{uses} paths");
}

#[test]
fn bad_fixtures_are_reported_where_they_are_marked() {
    let fixtures = fixtures("bad");
    assert!(fixtures.len() >= 10);
    let mut wrong = String::new();
    for fixture in fixtures {
        let expected = marks(&fixture);
        assert!(!expected.is_empty(), "{}: no line is marked", fixture.display());
        let violations = all_rules(&fixture);
        let found: BTreeSet<_> = violations.iter().map(|it| (it.file.clone(), it.line, it.rule)).collect();
        if found != expected {
            let texts: String = violations.iter().map(|it| format!("\n  found {it}")).collect();
            wrong += &format!("\n{}: marked {expected:?}{texts}", fixture.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn good_fixtures_pass() {
    let fixtures = fixtures("good");
    assert!(!fixtures.is_empty());
    for fixture in fixtures {
        assert_none(fixture.to_str().unwrap(), &all_rules(&fixture));
    }
}

#[test]
fn a_cycle_is_told_with_every_step() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("layers/fixtures/bad/cycle_of_three");
    let found = rules::cycles(&collect::read(&fixture));
    let [one] = &found[..] else { panic!("{found:?}") };
    let way = "domain/a.rs -> domain/b.rs (line 1 names `super::B`) -> domain/c.rs (line 3 names `crate::domain::C`) \
               -> domain/a.rs (line 2 names `super::a::A`)";
    assert_eq!(one.message, way);
}

fn all_rules(source: &Path) -> Vec<Violation> {
    let tree = collect::read(source);
    [rules::layers(&tree), rules::cycles(&tree), rules::lengths(&tree), rules::unreached(&tree)].concat()
}

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("layers/fixtures").join(kind);
    let mut all: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    all.sort();
    all
}

fn marks(fixture: &Path) -> BTreeSet<(PathBuf, usize, Rule)> {
    let mut files = Vec::new();
    collect::rust_files(fixture, fixture, &mut files);
    let mut marks = BTreeSet::new();
    for file in files {
        for (index, line) in fs::read_to_string(fixture.join(&file)).unwrap().lines().enumerate() {
            let rule = match line.split_once("//~ ").map(|(_, rule)| rule.trim()) {
                None => continue,
                Some("layer") => Rule::Layer,
                Some("cycle") => Rule::Cycle,
                Some("length") => Rule::Length,
                Some("unreached") => Rule::Unreached,
                Some(other) => panic!("{}: unknown rule {other}", file.display()),
            };
            marks.insert((file.clone(), index + 1, rule));
        }
    }
    marks
}
