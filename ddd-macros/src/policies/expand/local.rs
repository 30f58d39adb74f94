//! Variables that the user's names cannot meet.

use proc_macro2::{Ident, Span};
use quote::format_ident;

/// The variable of this name.
pub(super) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Variables of which each policy can have one.
#[derive(Clone, Copy)]
pub(super) enum Local {
    Permit,
    Call,
}

impl Local {
    /// That of the policy at `index`.
    pub(super) fn of(self, index: usize) -> Ident {
        let name = match self {
            Self::Permit => "__permit",
            Self::Call => "__call",
        };
        format_ident!("{name}{index}", span = Span::mixed_site())
    }
}
