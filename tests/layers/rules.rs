//! The rules, each a function from a crate to what breaks it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    path::PathBuf,
};

use crate::{
    resolve::{End, Trail, resolve, textual_macro},
    tree::{Crate, FileId, Module, ModuleId, Path, ROOT, Use, UseKind},
};

/// Files longer than this have more than one reason to change.
pub(crate) const MOST_LINES: usize = 400;

/// What each layer may name of the crate, itself apart. Layers that are not in the table do not exist.
const LAYERS: [(&str, Names); 8] = [
    ("domain", Names::Only(&[])),
    ("ports", Names::Only(&["domain"])),
    ("application", Names::Only(&["domain", "ports"])),
    ("infrastructure", Names::Only(&["domain", "ports"])),
    ("app", Names::All),
    ("telemetry", Names::All),
    ("testing", Names::All),
    ("__private", Names::All),
];

#[derive(Clone, Copy)]
enum Names {
    Only(&'static [&'static str]),
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    Layer,
    Cycle,
    Length,
    Unreached,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) rule: Rule,
    pub(crate) message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {:?}: {}", self.file.display(), self.line, self.rule, self.message)
    }
}

/// Names of a layer that the layer of the file may not use.
pub(crate) fn layers(tree: &Crate) -> Vec<Violation> {
    let mut found = BTreeSet::new();
    for (id, module) in tree.modules.iter().enumerate() {
        let Some(layer) = module.path.first() else { continue };
        let at =
            |line, message| Violation { file: tree.files[module.file].path.clone(), line, rule: Rule::Layer, message };
        let Some((_, names)) = LAYERS.iter().find(|(name, _)| name == layer) else {
            if module.path.len() == 1 {
                found.insert(at(
                    1,
                    format!("`{layer}` is not a layer; see the table of layers in docs/architecture.md"),
                ));
            }
            continue;
        };
        let Names::Only(allowed) = names else { continue };
        for it in &module.uses {
            for named in named_layers(tree, id, it) {
                if named != *layer && !allowed.contains(&named.as_str()) {
                    let what = if named.is_empty() { "the crate root".to_owned() } else { format!("`{named}`") };
                    found.insert(at(it.line, format!("`{layer}` may not name {what}: `{}`", it.path)));
                }
            }
        }
    }
    found.into_iter().collect()
}

/// The layers that a path goes through or ends in; the crate's root, as "", only if it is the end.
fn named_layers(tree: &Crate, from: ModuleId, it: &Use) -> BTreeSet<String> {
    let glob = matches!(it.kind, UseKind::Glob { .. });
    let mut all = layers_of(tree, &trail(tree, from, it), glob);
    let first = it.path.segments[0].as_str();
    if matches!(it.kind, UseKind::Code | UseKind::MacroCall) && !matches!(first, "crate" | "self" | "super") {
        let start = resolve(tree, from, &Path { absolute: it.path.absolute, segments: vec![first.to_owned()] });
        if !start.through_glob {
            // What an import names is reported once, where it stands, and not again wherever its name is used.
            for known in layers_of(tree, &start, glob) {
                all.remove(&known);
            }
        }
    }
    all
}

fn layers_of(tree: &Crate, trail: &Trail, glob: bool) -> BTreeSet<String> {
    let layer = |id: ModuleId| tree.modules[id].path.first().cloned().unwrap_or_default();
    let mut all: BTreeSet<_> = trail.visited.iter().map(|id| layer(*id)).filter(|it| !it.is_empty()).collect();
    all.extend(trail.ends.iter().filter_map(|end| match end {
        End::Item(module) => Some(layer(*module)),
        End::Module(module) => (glob && *module == ROOT).then(String::new),
    }));
    all
}

fn trail(tree: &Crate, from: ModuleId, it: &Use) -> Trail {
    let mut trail = resolve(tree, from, &it.path);
    if it.path.segments.len() == 1 && matches!(it.kind, UseKind::Code | UseKind::MacroCall) {
        // A bare name in code is a value, a type or a macro: a module of that name is not meant.
        trail.ends.retain(|end| matches!(end, End::Item(_)));
        if trail.ends.is_empty() {
            trail.visited.clear();
            if it.kind == UseKind::MacroCall {
                trail.ends = textual_macro(tree, &it.path.segments[0]);
            }
        }
    }
    trail
}

/// Files that import each other, directly or around a corner. One violation per circle, with the whole way printed.
pub(crate) fn cycles(tree: &Crate) -> Vec<Violation> {
    let arrows = arrows(tree);
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    let mut files: Vec<FileId> = (0..tree.files.len()).collect();
    files.sort_by_key(|it| &tree.files[*it].path);
    for start in files {
        if told.contains(&start) {
            continue;
        }
        let Some(way) = shortest_circle(&arrows, start) else { continue };
        told.extend(way.iter().copied());
        let name = |file: FileId| tree.files[file].path.display().to_string();
        let mut message = name(start);
        for step in way.windows(2) {
            let (line, path) = &arrows[&step[0]][&step[1]];
            message += &format!(" -> {} (line {line} names `{path}`)", name(step[1]));
        }
        let line = arrows[&start][&way[1]].0;
        found.push(Violation { file: tree.files[start].path.clone(), line, rule: Rule::Cycle, message });
    }
    found
}

/// From a file to each file that defines a name it uses, with the first line that does.
type Arrows = BTreeMap<FileId, BTreeMap<FileId, (usize, String)>>;

fn arrows(tree: &Crate) -> Arrows {
    let mut arrows = Arrows::new();
    for (id, module) in tree.modules.iter().enumerate() {
        for it in &module.uses {
            for target in defining_files(tree, id, module, it) {
                let entry = arrows.entry(module.file).or_default().entry(target);
                let arrow = entry.or_insert_with(|| (it.line, it.path.to_string()));
                if it.line < arrow.0 {
                    *arrow = (it.line, it.path.to_string());
                }
            }
        }
    }
    arrows
}

fn defining_files(tree: &Crate, id: ModuleId, module: &Module, it: &Use) -> BTreeSet<FileId> {
    let public = matches!(it.kind, UseKind::Import { public: true } | UseKind::Glob { public: true });
    if public && tree.is_module_root(module.file) {
        return BTreeSet::new();
    }
    let glob = matches!(it.kind, UseKind::Glob { .. });
    let ends = trail(tree, id, it).ends.into_iter().filter_map(|end| match end {
        End::Item(target) => Some(tree.modules[target].file),
        // A module that is named only leads somewhere; but a glob takes all that its file defines.
        End::Module(target) => {
            let file = tree.modules[target].file;
            (glob && !tree.is_module_root(file)).then_some(file)
        }
    });
    ends.filter(|file| *file != module.file).collect()
}

/// Breadth first, so the way that is printed is the shortest; it begins and ends with `start`.
fn shortest_circle(arrows: &Arrows, start: FileId) -> Option<Vec<FileId>> {
    let mut before: BTreeMap<FileId, FileId> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(file) = next.pop_front() {
        for target in arrows.get(&file).into_iter().flat_map(BTreeMap::keys) {
            if *target == start {
                let mut way = vec![start, file];
                while let Some(previous) = before.get(way.last()?) {
                    way.push(*previous);
                }
                way.reverse();
                return Some(way);
            }
            if !before.contains_key(target) {
                before.insert(*target, file);
                next.push_back(*target);
            }
        }
    }
    None
}

/// Files that are too long.
pub(crate) fn lengths(tree: &Crate) -> Vec<Violation> {
    let long = tree.files.iter().filter(|it| it.lines > MOST_LINES);
    long.map(|it| Violation {
        file: it.path.clone(),
        line: MOST_LINES + 1,
        rule: Rule::Length,
        message: format!("{} lines, at most {MOST_LINES}", it.lines),
    })
    .collect()
}

/// Files that no `mod` names: they are not compiled, or come in by a way that this check does not see.
pub(crate) fn unreached(tree: &Crate) -> Vec<Violation> {
    let all = tree.unreached.iter();
    all.map(|it| Violation {
        file: it.clone(),
        line: 1,
        rule: Rule::Unreached,
        message: "no `mod` names this file".to_owned(),
    })
    .collect()
}
