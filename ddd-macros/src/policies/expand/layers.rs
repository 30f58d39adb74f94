//! The layers around the body, outermost first: each is an expression of the type `Result<R, X>`, where `R` is what the
//! function returns, and `X` a refusal, or `Infallible` if none of the policies can refuse.
//!
//! A refusal leaves through a labelled block. What it passes on its way out (permits, calls of circuit breakers, attempts) is
//! dropped, which the runtime understands as "did not happen".

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, spanned::Spanned};

use super::{
    attempts, cached,
    local::{Local, local},
    statics::{cell, reached},
};
use crate::policies::{
    arguments::Receiver,
    kind::Kind,
    policy::{RateLimited, What},
    valid::Wrapped,
};

/// The function's layers.
pub(super) struct Layers<'a> {
    pub(super) wrapped: &'a Wrapped<'a>,
    /// What a refusal is.
    pub(super) refusal: TokenStream,
    /// The innermost expression: the user's statements, called.
    pub(super) body: TokenStream,
}

impl Layers<'_> {
    /// The layers from `index` inwards, in a block that their refusals leave.
    pub(super) fn frame(&self, index: usize) -> TokenStream {
        let inner = self.layer(index);
        let in_frame = self.wrapped.policies[index..]
            .iter()
            .map(|it| it.policy.kind)
            .take_while(|it| !matches!(it, Kind::Cached | Kind::Timeout));
        let guards = [Kind::RateLimited, Kind::CircuitBreaker, Kind::Bulkhead];
        if in_frame.into_iter().any(|it| guards.contains(&it)) {
            quote_spanned!(Span::mixed_site()=> '__refused: { #inner })
        } else {
            inner
        }
    }

    fn layer(&self, index: usize) -> TokenStream {
        let Some(named) = self.wrapped.policies.get(index) else {
            let (body, refusal) = (&self.body, &self.refusal);
            return quote!(::core::result::Result::Ok::<_, #refusal>(#body));
        };
        match &named.policy.what {
            What::Cached(it) => {
                let is_sync = self.wrapped.body.is_sync();
                let layers = if is_sync { self.frame(index + 1) } else { self.block(index + 1) };
                let inner = cached::Inner { layers, is_lent: self.borrows(index) };
                cached::fill(self.wrapped, index, &inner, named, it)
            }
            What::RateLimited(it) => self.admitted(index, it),
            What::Judging { when } if named.policy.kind == Kind::Retry => self.attempts(index, when.as_ref()),
            What::Judging { when } => self.judged(index, when.as_ref()),
            What::Plain if named.policy.kind == Kind::Timeout => self.in_time(index),
            What::Plain => self.permitted(index),
        }
    }

    /// Whether what stands at `index` runs again and again with something that cannot be given away twice: `&mut self`, or
    /// `self` itself. Then blocks borrow it, and all the rest with it.
    fn borrows(&self, index: usize) -> bool {
        let is_repeated = self.wrapped.policies[..index].iter().any(|it| it.policy.kind == Kind::Retry);
        let receiver = self.wrapped.arguments.receiver;
        is_repeated && matches!(receiver, Some(Receiver::Exclusive | Receiver::Owned))
    }

    /// `async { … }` around the layers from `index` inwards.
    fn block(&self, index: usize) -> TokenStream {
        let frame = self.frame(index);
        if self.borrows(index) { quote!(async { #frame }) } else { quote!(async move { #frame }) }
    }

    fn admitted(&self, index: usize, limit: &RateLimited) -> TokenStream {
        let cell = reached(&self.wrapped.policies[index], index);
        let ty = limit.handle.as_ref().map(|it| &it.key).map(|it| quote!(::<#it>));
        let key = match &limit.key {
            Some(key) => quote_spanned!(key.span()=> __ddd::limit_key #ty (&#key)),
            None => quote!(()),
        };
        let weight = limit.weight.as_ref().map_or_else(|| quote!(1), |it| quote_spanned!(it.span()=> #it));
        let admitted = match limit.waits.or(limit.is_shared) {
            Some(_) => quote!(#cell.admit(#key, #weight).await),
            None => quote!(#cell.try_admit(#key, #weight)),
        };
        let inner = self.layer(index + 1);
        let (refused, leave) = refused();
        quote! {{
            if let ::core::result::Result::Err(#refused) = #admitted { #leave }
            #inner
        }}
    }

    fn permitted(&self, index: usize) -> TokenStream {
        let (cell, permit, inner) = (cell(index), Local::Permit.of(index), self.layer(index + 1));
        let passed = passed(&quote!(#cell.enter().await));
        quote! {{
            let #permit = #passed;
            #inner
        }}
    }

    fn judged(&self, index: usize, when: Option<&Expr>) -> TokenStream {
        let (cell, call, out) = (cell(index), Local::Call.of(index), local("__out"));
        let inner = self.layer(index + 1);
        let verdict = verdict(when, "verdict", &out);
        let passed = passed(&quote!(#cell.begin()));
        quote! {{
            let #call = #passed;
            let #out = #inner;
            #call.end(#verdict);
            #out
        }}
    }

    fn in_time(&self, index: usize) -> TokenStream {
        let (cell, inner) = (cell(index), self.block(index + 1));
        quote!(#cell.within(#inner).await)
    }

    fn attempts(&self, index: usize, when: Option<&Expr>) -> TokenStream {
        let (cell, all, out, pause) = (cell(index), local("__attempts"), local("__out"), local("__pause"));
        let again = attempts::again(self.wrapped, index);
        let inner = self.layer(index + 1);
        let verdict = verdict(when, "attempt", &out);
        quote! {{
            let mut #all = #cell.start();
            loop {
                #(#again)*
                let #out = #inner;
                match #all.after(#verdict) {
                    __ddd::Next::Done => break #out,
                    __ddd::Next::After(#pause) => #pause.await,
                }
            }
        }}
    }
}

/// A refusal, and how it leaves its frame.
fn refused() -> (Ident, TokenStream) {
    let refused = local("__refused");
    let leave = quote_spanned!(Span::mixed_site()=> break '__refused ::core::result::Result::Err(#refused));
    (refused, leave)
}

/// What a policy gives to a call that it lets pass.
fn passed(entered: &TokenStream) -> TokenStream {
    let (passed, (refused, leave)) = (local("__passed"), refused());
    quote! {
        match #entered {
            ::core::result::Result::Ok(#passed) => #passed,
            ::core::result::Result::Err(#refused) => #leave,
        }
    }
}

/// What became of a call: as the user's `when` says, or as its type does.
fn verdict(when: Option<&Expr>, name: &str, out: &Ident) -> TokenStream {
    let judge = local("__judge");
    match when {
        Some(when) => {
            let name = Ident::new(&format!("{name}_when"), Span::mixed_site());
            quote_spanned!(when.span().resolved_at(Span::mixed_site())=> #judge.#name(&#out, #when))
        }
        None => {
            let name = Ident::new(name, Span::mixed_site());
            quote!(#judge.#name(&#out))
        }
    }
}
