//! What a path names: the modules on its way, followed through imports and re-exports, and where it ends.

use std::collections::BTreeSet;

use crate::tree::{Binding, Crate, ModuleId, Path, ROOT, Target};

/// The answer for one path. A name may mean several things (a type and a function): they are all followed.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// Every module on the way.
    pub(crate) visited: BTreeSet<ModuleId>,
    pub(crate) ends: Vec<End>,
    /// The first name was found through a glob import.
    pub(crate) through_glob: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The path names the module itself.
    Module(ModuleId),
    /// An item of that module, or a name below it that only a macro can have made.
    Item(ModuleId),
}

/// Follows `path` as written in `from`. Paths out of the crate leave an empty trail.
pub(crate) fn resolve(tree: &Crate, from: ModuleId, path: &Path) -> Trail {
    let mut resolver = Resolver { tree, trail: Trail::default(), followed: BTreeSet::new() };
    resolver.path(from, path, 0);
    resolver.trail
}

/// `name!` as written in `from`, found by its place in the text.
pub(crate) fn textual_macro(tree: &Crate, name: &str) -> Vec<End> {
    tree.textual_macros.get(name).into_iter().flatten().map(|it| End::Item(*it)).collect()
}

struct Resolver<'a> {
    tree: &'a Crate,
    trail: Trail,
    /// Imports on the way, each with its module. None is followed twice: `use quote::quote` would find itself for ever.
    followed: BTreeSet<(ModuleId, Path)>,
}

impl<'a> Resolver<'a> {
    fn path(&mut self, from: ModuleId, path: &Path, depth: usize) {
        let Some(first) = path.segments.first() else { return };
        let rest = &path.segments[1..];
        if path.absolute {
            if self.tree.aliases.contains(first) {
                self.walk(from, ROOT, rest, depth);
            }
            return;
        }
        match first.as_str() {
            "crate" => self.walk(from, ROOT, rest, depth),
            "self" | "super" => {
                let ups = path.segments.iter().take_while(|it| matches!(it.as_str(), "self" | "super")).count();
                let mut module = self.tree.enclosing_module(from);
                for _ in path.segments[..ups].iter().filter(|it| *it == "super") {
                    module = self.tree.modules[module].parent.map_or(ROOT, |it| self.tree.enclosing_module(it));
                }
                self.walk(from, module, &path.segments[ups..], depth);
            }
            _ => self.lexical(from, first, rest, depth),
        }
    }

    /// A name without a prefix: in the block, around it, up to the module; then the crate's own name.
    fn lexical(&mut self, from: ModuleId, first: &str, rest: &[String], depth: usize) {
        let mut module = from;
        loop {
            let (found, through_glob) = self.lookup(from, module, first, &mut BTreeSet::new());
            if !found.is_empty() {
                self.trail.through_glob |= through_glob && depth == 0;
                self.follow(from, found, rest, depth);
                return;
            }
            match self.tree.modules[module] {
                crate::tree::Module { block: true, parent: Some(parent), .. } => module = parent,
                _ => break,
            }
        }
        if self.tree.aliases.contains(first) {
            self.walk(from, ROOT, rest, depth);
        }
    }

    fn walk(&mut self, from: ModuleId, module: ModuleId, rest: &[String], depth: usize) {
        self.trail.visited.insert(module);
        let Some(name) = rest.first() else {
            self.trail.ends.push(End::Module(module));
            return;
        };
        let (found, _) = self.lookup(from, module, name, &mut BTreeSet::new());
        if found.is_empty() {
            self.trail.ends.push(End::Item(module));
        }
        self.follow(from, found, &rest[1..], depth);
    }

    fn follow(&mut self, from: ModuleId, found: Vec<(ModuleId, &'a Binding)>, rest: &[String], depth: usize) {
        for (owner, binding) in found {
            match &binding.target {
                Target::Module(module) => self.walk(from, *module, rest, depth),
                Target::Type(module) => self.trail.ends.push(End::Item(*module)),
                Target::Value(module) if rest.is_empty() => self.trail.ends.push(End::Item(*module)),
                Target::Value(_) => {}
                Target::Import(path) => {
                    if self.followed.insert((owner, path.clone())) {
                        self.path(owner, &path.joined(rest), depth + 1);
                    }
                }
            }
        }
    }

    /// What `name` is bound to in `module`, each with the module that binds it; and whether a glob brought it there.
    fn lookup(
        &mut self,
        from: ModuleId,
        module: ModuleId,
        name: &str,
        asked: &mut BTreeSet<ModuleId>,
    ) -> (Vec<(ModuleId, &'a Binding)>, bool) {
        if !asked.insert(module) {
            return (Vec::new(), false);
        }
        let sees_private = self.tree.is_within(from, module);
        let node = &self.tree.modules[module];
        let bound = node.bindings.get(name).into_iter().flatten().filter(|it| it.visible || sees_private);
        let bound: Vec<_> = bound.map(|it| (module, it)).collect();
        if !bound.is_empty() {
            return (bound, false);
        }
        let mut through_globs = Vec::new();
        for glob in node.globs.iter().filter(|it| it.visible || sees_private) {
            let mut inner = Resolver { tree: self.tree, trail: Trail::default(), followed: self.followed.clone() };
            if !inner.followed.insert((module, glob.path.clone())) {
                continue;
            }
            inner.path(module, &glob.path, 1);
            for end in inner.trail.ends {
                if let End::Module(target) = end {
                    let (found, _) = self.lookup(module, target, name, asked);
                    if !found.is_empty() {
                        self.trail.visited.insert(target);
                        through_globs.extend(found);
                    }
                }
            }
        }
        (through_globs, true)
    }
}
