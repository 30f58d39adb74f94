//! A crate's source as the checker sees it: files, modules, the names each module binds, and the paths it uses.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Index into [`Crate::files`].
pub(crate) type FileId = usize;
/// Index into [`Crate::modules`]; the crate's root is 0.
pub(crate) type ModuleId = usize;

pub(crate) const ROOT: ModuleId = 0;

#[derive(Debug, Default)]
pub(crate) struct Crate {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) modules: Vec<Module>,
    /// Names that mean the crate itself: `extern crate self as name`.
    pub(crate) aliases: BTreeSet<String>,
    /// `macro_rules!` by name. They are found by their place in the text, so no module binds them.
    pub(crate) textual_macros: BTreeMap<String, Vec<ModuleId>>,
    /// Files of the source folder that no `mod` reaches.
    pub(crate) unreached: Vec<PathBuf>,
}

#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Relative to the source folder.
    pub(crate) path: PathBuf,
    pub(crate) lines: usize,
}

/// A module, or a block that has items of its own: names not found in a block are looked for around it.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) parent: Option<ModuleId>,
    pub(crate) block: bool,
    /// The module's path below the crate; a block has that of the module around it.
    pub(crate) path: Vec<String>,
    pub(crate) file: FileId,
    pub(crate) bindings: BTreeMap<String, Vec<Binding>>,
    pub(crate) globs: Vec<Glob>,
    pub(crate) uses: Vec<Use>,
}

#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) target: Target,
    /// Whether more than the module and what is in it can see the name.
    pub(crate) visible: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    Module(ModuleId),
    /// A type or trait of that module: names can follow it.
    Type(ModuleId),
    /// A function, constant, static or macro of that module.
    Value(ModuleId),
    Import(Path),
}

#[derive(Clone, Debug)]
pub(crate) struct Glob {
    pub(crate) path: Path,
    pub(crate) visible: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    /// Written with a leading `::`.
    pub(crate) absolute: bool,
    pub(crate) segments: Vec<String>,
}

impl Path {
    pub(crate) fn joined(&self, rest: &[String]) -> Self {
        Self { absolute: self.absolute, segments: [&self.segments, rest].concat() }
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.absolute { "::" } else { "" }, self.segments.join("::"))
    }
}

/// A path that stands in the text.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) path: Path,
    pub(crate) line: usize,
    pub(crate) kind: UseKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UseKind {
    Code,
    MacroCall,
    Import { public: bool },
    Glob { public: bool },
}

impl Crate {
    /// `lib.rs`, `mod.rs` and every other file with files of modules below it: what they re-export, they do not import.
    pub(crate) fn is_module_root(&self, file: FileId) -> bool {
        let has_files_below =
            |it: &Module| it.file != file && it.parent.is_some_and(|up| self.modules[up].file == file);
        self.files[file].path.ends_with("lib.rs")
            || self.files[file].path.ends_with("mod.rs")
            || self.modules.iter().any(has_files_below)
    }

    /// The module itself, or the one around a block.
    pub(crate) fn enclosing_module(&self, mut id: ModuleId) -> ModuleId {
        while let Module { block: true, parent: Some(parent), .. } = &self.modules[id] {
            id = *parent;
        }
        id
    }

    pub(crate) fn is_within(&self, mut inner: ModuleId, outer: ModuleId) -> bool {
        loop {
            if inner == outer {
                return true;
            }
            match self.modules[inner].parent {
                Some(parent) => inner = parent,
                None => return false,
            }
        }
    }

    pub(crate) fn bind(&mut self, module: ModuleId, name: String, target: Target, visible: bool) {
        self.modules[module].bindings.entry(name).or_default().push(Binding { target, visible });
    }
}
