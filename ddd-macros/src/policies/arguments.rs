//! The arguments of a function, as far as a wrapper around its body must know them.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{
    FnArg, Pat, PatIdent, PatType, ReceiverKind, Signature, Type,
    visit::{self, Visit},
};

/// The arguments of a function.
pub(super) struct Arguments {
    pub(super) receiver: Option<Receiver>,
    pub(super) all: Vec<Argument>,
}

/// How a method takes `self`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiver {
    /// `&self`.
    Shared,
    /// `&mut self`.
    Exclusive,
    /// `self`, `self: Arc<Self>`.
    Owned,
}

/// One argument.
pub(super) struct Argument {
    /// The variables that it binds.
    pub(super) bound: Vec<Ident>,
    /// Those of them that are written with `mut`.
    mutable: Vec<Ident>,
    /// Whether it is one variable, not a pattern.
    pub(super) is_plain: bool,
    pub(super) ty: Type,
    pub(super) lends: Lends,
}

/// Whose an argument is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lends {
    /// The function's.
    Nothing,
    /// The caller's: `&T`.
    Shared,
    /// The caller's: `&mut T`.
    Exclusive,
}

impl Arguments {
    pub(super) fn of(sig: &Signature) -> Self {
        let mut all = Vec::new();
        let mut receiver = None;
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(it) => receiver = Some(Receiver::of(&it.kind)),
                FnArg::Typed(it) => all.push(Argument::of(it)),
            }
        }
        Self { receiver, all }
    }

    /// Whether they are all the function's own: then its body can outlive the caller. What a type parameter stands for is not
    /// known here, so it counts as lent.
    pub(super) fn are_owned(&self, sig: &Signature) -> bool {
        let params: Vec<_> = sig.generics.params.iter().collect();
        self.receiver.is_none() && params.is_empty() && self.all.iter().all(|it| !lends(&it.ty))
    }
}

impl Receiver {
    fn of(kind: &ReceiverKind) -> Self {
        match kind {
            ReceiverKind::Reference(_, _, mutability) => {
                if mutability.is_some() {
                    Self::Exclusive
                } else {
                    Self::Shared
                }
            }
            ReceiverKind::Typed(_, ty) => match &**ty {
                Type::Reference(it) if it.mutability.is_some() => Self::Exclusive,
                Type::Reference(_) => Self::Shared,
                _ => Self::Owned,
            },
            _ => Self::Owned,
        }
    }
}

impl Argument {
    /// Whether this one of its variables is written with `mut`.
    pub(super) fn is_mutable(&self, name: &Ident) -> bool {
        self.mutable.contains(name)
    }

    fn of(arg: &PatType) -> Self {
        let mut bound = Bound::default();
        bound.visit_pat(&arg.pat);
        let lends = match &*arg.ty {
            Type::Reference(it) if it.mutability.is_some() => Lends::Exclusive,
            Type::Reference(_) => Lends::Shared,
            _ => Lends::Nothing,
        };
        let is_plain = matches!(&*arg.pat, Pat::Ident(it) if it.subpat.is_none() && it.by_ref.is_none());
        Self { bound: bound.all, mutable: bound.mutable, is_plain, ty: (*arg.ty).clone(), lends }
    }
}

/// The variables of a pattern.
#[derive(Default)]
struct Bound {
    all: Vec<Ident>,
    mutable: Vec<Ident>,
}

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, it: &'ast PatIdent) {
        self.all.push(it.ident.clone());
        if it.by_ref.is_none() && it.mutability.is_some() {
            self.mutable.push(it.ident.clone());
        }
        visit::visit_pat_ident(self, it);
    }
}

/// Whether a type says that it, or a part of it, is borrowed; a hidden type (`impl Trait`) may be.
pub(super) fn lends(ty: &Type) -> bool {
    let mut found = Borrowed(false);
    found.visit_type(ty);
    found.0
}

struct Borrowed(bool);

impl<'ast> Visit<'ast> for Borrowed {
    fn visit_type_reference(&mut self, it: &'ast syn::TypeReference) {
        // The words of the program live as long as it.
        self.0 |= it.lifetime.as_ref().is_none_or(|it| it.ident != "static");
        visit::visit_type_reference(self, it);
    }

    fn visit_lifetime(&mut self, it: &'ast syn::Lifetime) {
        self.0 |= it.ident != "static";
    }

    fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
        self.0 = true;
    }
}

/// Whether a type is, or contains, `impl Trait`.
pub(super) fn is_hidden(ty: &Type) -> bool {
    let mut found = Hidden(false);
    found.visit_type(ty);
    found.0
}

struct Hidden(bool);

impl<'ast> Visit<'ast> for Hidden {
    fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
        self.0 = true;
    }
}

/// Whether `tokens` may mention the variable `name`: by name, or inside the text of a format string.
pub(super) fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    let text = name.to_string();
    let bare = text.strip_prefix("r#").unwrap_or(&text);
    let captured = format!("{{{bare}");
    found(tokens, &|token| match token {
        TokenTree::Ident(it) => it == name,
        TokenTree::Literal(it) => it.to_string().contains(&captured),
        _ => false,
    })
}

fn found(tokens: &TokenStream, is: &dyn Fn(&TokenTree) -> bool) -> bool {
    tokens.clone().into_iter().any(|it| match &it {
        TokenTree::Group(group) => found(&group.stream(), is),
        _ => is(&it),
    })
}
