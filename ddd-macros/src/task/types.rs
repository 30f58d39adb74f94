//! What may stand in the types of a task: it is stored as JSON before it runs, so nothing in it can be borrowed.

use quote::ToTokens;
use syn::{
    Ident, Lifetime, Type, TypeImplTrait, TypeInfer, TypeReference,
    visit::{self, Visit},
};

use crate::errors::Errors;

/// Reports what a stored parameter's type may not hold.
pub(super) fn check_param(name: &Ident, ty: &Type, errors: &mut Errors) {
    let whose = format!("`{name}` is stored before it runs, so it");
    Checker { whose: &whose, may_borrow: false, errors }.visit_type(ty);
}

/// Reports what an injected parameter's type may not hold, the outer `&` taken off.
pub(super) fn check_injected(name: &Ident, ty: &Type, errors: &mut Errors) {
    let whose = format!("`{name}` is kept by the application for all tasks, so it");
    Checker { whose: &whose, may_borrow: false, errors }.visit_type(ty);
}

/// Reports what a result's type may not hold.
pub(super) fn check_return(ty: &Type, errors: &mut Errors) {
    Checker { whose: "the result outlives the call, so it", may_borrow: true, errors }.visit_type(ty);
}

struct Checker<'a> {
    /// The beginning of a sentence that gives the reason.
    whose: &'a str,
    /// Whether `&'static` is fine: for an error's type it is.
    may_borrow: bool,
    errors: &'a mut Errors,
}

impl<'ast> Visit<'ast> for Checker<'_> {
    fn visit_type_reference(&mut self, it: &'ast TypeReference) {
        if self.may_borrow && it.lifetime.as_ref().is_some_and(is_static) {
            return visit::visit_type_reference(self, it);
        }
        let owned = owned(&it.elem);
        self.errors.on(it, format!("{} cannot be a reference; write `{owned}`", self.whose));
    }

    fn visit_lifetime(&mut self, it: &'ast Lifetime) {
        if !is_static(it) {
            self.errors.on(it, format!("{} cannot borrow; write `'static`, or an owned type", self.whose));
        }
    }

    fn visit_type_impl_trait(&mut self, it: &'ast TypeImplTrait) {
        self.errors.on(it, format!("{} needs a type with a name; write the type instead of `impl …`", self.whose));
    }

    fn visit_type_infer(&mut self, it: &'ast TypeInfer) {
        self.errors.on(it, format!("{} needs a type; write it instead of `_`", self.whose));
    }
}

fn is_static(lifetime: &Lifetime) -> bool {
    lifetime.ident == "static"
}

/// The owned type to write instead of a reference to `ty`.
pub(super) fn owned(ty: &Type) -> String {
    match ty {
        Type::Slice(it) => format!("Vec<{}>", text(&it.elem)),
        Type::TraitObject(_) => format!("Box<{}>", text(ty)),
        Type::Path(it) if it.path.is_ident("str") => "String".to_owned(),
        Type::Path(it) => match it.path.segments.last() {
            Some(last) if last.ident == "Path" => "std::path::PathBuf".to_owned(),
            _ => text(ty),
        },
        _ => text(ty),
    }
}

/// A type as people write it.
pub(super) fn text(ty: &Type) -> String {
    let spaced = ty.to_token_stream().to_string();
    spaced.replace(" :: ", "::").replace(" < ", "<").replace(" >", ">").replace("< ", "<").replace(" ,", ",")
}
