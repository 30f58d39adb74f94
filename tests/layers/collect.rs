//! Reads a crate's source folder into a [`Crate`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path as FilePath, PathBuf},
};

use proc_macro2::TokenStream;
use syn::{
    Attribute, Item, Meta, Stmt, Visibility, punctuated::Punctuated, spanned::Spanned as _, visit, visit::Visit,
};

use crate::{
    tokens,
    tree::{Crate, Glob, Module, ModuleId, Path, ROOT, SourceFile, Target, Use, UseKind},
};

/// Reads the crate whose `lib.rs` is in `source`.
pub(crate) fn read(source: &FilePath) -> Crate {
    let mut reader = Reader {
        source: source.to_owned(),
        children: PathBuf::new(),
        tree: Crate::default(),
        current: ROOT,
        seen: BTreeSet::new(),
    };
    reader.file(FilePath::new("lib.rs"), PathBuf::new(), None, Vec::new());
    let mut all = Vec::new();
    rust_files(source, source, &mut all);
    reader.tree.unreached = all.into_iter().filter(|it| !reader.seen.contains(it)).collect();
    reader.tree
}

pub(crate) fn rust_files(source: &FilePath, folder: &FilePath, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(source, &path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path.strip_prefix(source).unwrap().to_owned());
        }
    }
}

struct Reader {
    source: PathBuf,
    /// Where the files of the current module's children are, relative to `source`.
    children: PathBuf,
    tree: Crate,
    current: ModuleId,
    /// Files that were read, or that only tests reach.
    seen: BTreeSet<PathBuf>,
}

impl Reader {
    fn file(&mut self, path: &FilePath, children: PathBuf, parent: Option<ModuleId>, names: Vec<String>) -> ModuleId {
        let text = fs::read_to_string(self.source.join(path)).unwrap();
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.seen.insert(path.to_owned());
        self.tree.files.push(SourceFile { path: path.to_owned(), lines: text.lines().count() });
        let file = self.tree.files.len() - 1;
        let id = self.module(parent, false, names, file);
        self.inside(id, children, |it| it.visit_file(&syntax));
        id
    }

    fn module(&mut self, parent: Option<ModuleId>, block: bool, path: Vec<String>, file: usize) -> ModuleId {
        let (bindings, globs, uses) = (BTreeMap::new(), Vec::new(), Vec::new());
        self.tree.modules.push(Module { parent, block, path, file, bindings, globs, uses });
        self.tree.modules.len() - 1
    }

    fn inside(&mut self, id: ModuleId, children: PathBuf, visit: impl FnOnce(&mut Self)) {
        let before = (std::mem::replace(&mut self.current, id), std::mem::replace(&mut self.children, children));
        visit(self);
        (self.current, self.children) = before;
    }

    fn used(&mut self, path: Path, line: usize, kind: UseKind) {
        self.tree.modules[self.current].uses.push(Use { path, line, kind });
    }

    fn bind(&mut self, name: &syn::Ident, target: fn(ModuleId) -> Target, vis: &Visibility) {
        self.tree.bind(self.current, tokens::plain(&name.to_string()), target(self.current), is_visible(vis));
    }

    /// The file of `mod name;`, and the folder of that module's own children.
    fn find(&self, module: &syn::ItemMod) -> (PathBuf, PathBuf) {
        let name = tokens::plain(&module.ident.to_string());
        let given = module.attrs.iter().find(|it| it.path().is_ident("path")).and_then(|it| literal(&it.meta));
        if let Some(given) = given {
            let file = self.tree.modules[self.current].file;
            let path = self.tree.files[file].path.parent().unwrap().join(given);
            let children = path.parent().unwrap().to_owned();
            return (path, children);
        }
        let children = self.children.join(&name);
        let flat = self.children.join(format!("{name}.rs"));
        let path = if self.source.join(&flat).exists() { flat } else { children.join("mod.rs") };
        (path, children)
    }

    /// Files below a module that only tests reach are seen, but not read.
    fn skip(&mut self, module: &syn::ItemMod) {
        if module.content.is_none() {
            let (path, children) = self.find(module);
            self.seen.insert(path);
            if self.source.join(&children).is_dir() && !children.as_os_str().is_empty() {
                let mut below = Vec::new();
                rust_files(&self.source, &self.source.join(children), &mut below);
                self.seen.extend(below);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_file(&mut self, file: &'ast syn::File) {
        if !is_test(&file.attrs) {
            visit::visit_file(self, file);
        }
    }

    fn visit_item(&mut self, item: &'ast Item) {
        if is_test(attributes(item)) {
            if let Item::Mod(module) = item {
                self.skip(module);
            }
            return;
        }
        match item {
            Item::Const(it) => self.bind(&it.ident, Target::Value, &it.vis),
            Item::Enum(it) => self.bind(&it.ident, Target::Type, &it.vis),
            Item::Fn(it) => self.bind(&it.sig.ident, Target::Value, &it.vis),
            Item::Static(it) => self.bind(&it.ident, Target::Value, &it.vis),
            Item::Struct(it) => self.bind(&it.ident, Target::Type, &it.vis),
            Item::Trait(it) => self.bind(&it.ident, Target::Type, &it.vis),
            Item::TraitAlias(it) => self.bind(&it.ident, Target::Type, &it.vis),
            Item::Type(it) => self.bind(&it.ident, Target::Type, &it.vis),
            Item::Union(it) => self.bind(&it.ident, Target::Type, &it.vis),
            Item::ExternCrate(it) if it.ident == "self" => {
                self.tree.aliases.extend(it.rename.iter().map(|(_, name)| tokens::plain(&name.to_string())));
            }
            Item::Macro(it) => {
                if let Some(name) = it.ident.as_ref().map(|it| tokens::plain(&it.to_string())) {
                    self.tree.textual_macros.entry(name.clone()).or_default().push(self.current);
                    if it.attrs.iter().any(|it| it.path().is_ident("macro_export")) {
                        self.tree.bind(ROOT, name, Target::Value(self.current), true);
                    }
                }
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        module.attrs.iter().for_each(|it| self.visit_attribute(it));
        self.visit_visibility(&module.vis);
        let name = tokens::plain(&module.ident.to_string());
        let parent = self.current;
        let names = [&self.tree.modules[parent].path[..], std::slice::from_ref(&name)].concat();
        let id = match &module.content {
            Some((_, items)) => {
                let id = self.module(Some(parent), false, names, self.tree.modules[parent].file);
                let children = self.children.join(&name);
                self.inside(id, children, |it| items.iter().for_each(|item| it.visit_item(item)));
                id
            }
            None => {
                let (path, children) = self.find(module);
                self.file(&path, children, Some(parent), names)
            }
        };
        self.tree.bind(parent, name, Target::Module(id), is_visible(&module.vis));
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        item.attrs.iter().for_each(|it| self.visit_attribute(it));
        self.visit_visibility(&item.vis);
        let public = is_visible(&item.vis);
        let mut leaves = Vec::new();
        let prefix = Path { absolute: item.leading_colon.is_some(), segments: Vec::new() };
        tokens::leaves(&item.tree, &prefix, &mut leaves);
        for (path, name, line) in leaves {
            let kind = match name {
                Some(name) => {
                    self.tree.bind(self.current, name, Target::Import(path.clone()), public);
                    UseKind::Import { public }
                }
                None => {
                    self.tree.modules[self.current].globs.push(Glob { path: path.clone(), visible: public });
                    UseKind::Glob { public }
                }
            };
            self.used(path, line, kind);
        }
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        if block.stmts.iter().any(|it| matches!(it, Stmt::Item(_))) {
            let around = &self.tree.modules[self.current];
            let (names, file) = (around.path.clone(), around.file);
            let id = self.module(Some(self.current), true, names, file);
            let children = self.children.clone();
            self.inside(id, children, |it| visit::visit_block(it, block));
        } else {
            visit::visit_block(self, block);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.used(tokens::of_syn(path), path.span().start().line, UseKind::Code);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.used(tokens::of_syn(&call.path), call.path.span().start().line, UseKind::MacroCall);
        self.visit_token_stream(&call.tokens);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") || is_test(std::slice::from_ref(attribute)) {
            return;
        }
        match &attribute.meta {
            Meta::List(list) => {
                for (path, line) in tokens::quoted_paths(list.tokens.clone()) {
                    self.used(path, line, UseKind::Code);
                }
            }
            Meta::NameValue(_) | Meta::Path(_) => {}
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        for (path, line) in tokens::paths(tokens.clone()) {
            self.used(path, line, UseKind::Code);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes: &[_] = match item {
            syn::ImplItem::Const(it) => &it.attrs,
            syn::ImplItem::Fn(it) => &it.attrs,
            syn::ImplItem::Type(it) => &it.attrs,
            syn::ImplItem::Macro(it) => &it.attrs,
            _ => &[],
        };
        if !is_test(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast syn::TraitItem) {
        let attributes: &[_] = match item {
            syn::TraitItem::Const(it) => &it.attrs,
            syn::TraitItem::Fn(it) => &it.attrs,
            syn::TraitItem::Type(it) => &it.attrs,
            syn::TraitItem::Macro(it) => &it.attrs,
            _ => &[],
        };
        if !is_test(attributes) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        if !is_test(&variant.attrs) {
            visit::visit_variant(self, variant);
        }
    }

    fn visit_stmt_macro(&mut self, call: &'ast syn::StmtMacro) {
        if !is_test(&call.attrs) {
            visit::visit_stmt_macro(self, call);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !is_test(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if !is_test(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !is_test(&local.attrs) {
            visit::visit_local(self, local);
        }
    }
}

fn is_visible(vis: &Visibility) -> bool {
    !matches!(vis, Visibility::Inherited)
}

/// Whether a `#[cfg]` or `#[cfg_attr]` asks for `test`, or the thing is a test: no build of the library contains it.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|it| match &it.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if it.path().is_ident("cfg") || it.path().is_ident("cfg_attr") => {
            all_of(list).first().is_some_and(asks_for_test)
        }
        _ => false,
    })
}

/// `test`, or `all(…)` with `test` in it; not `any(…)`, which other builds can meet, nor `not(…)`.
fn asks_for_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => all_of(list).iter().any(asks_for_test),
        Meta::List(_) | Meta::NameValue(_) => false,
    }
}

fn all_of(list: &syn::MetaList) -> Vec<Meta> {
    let parser = Punctuated::<Meta, syn::Token![,]>::parse_terminated;
    list.parse_args_with(parser).map(|all| all.into_iter().collect()).unwrap_or_default()
}

fn literal(meta: &Meta) -> Option<String> {
    let Meta::NameValue(pair) = meta else { return None };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else { return None };
    Some(text.value())
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::ExternCrate(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::ForeignMod(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::TraitAlias(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Union(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}
