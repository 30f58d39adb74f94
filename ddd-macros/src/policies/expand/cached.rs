//! The layer of a cache: its key, its rules, and what fills it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, spanned::Spanned};

use super::{local::local, statics::reached};
use crate::policies::{
    key::{Key, Part},
    policy::{Cached, Handle},
    valid::{Named, Wrapped},
};

/// What fills a cache.
pub(super) struct Inner {
    /// The layers inside of it: a block that answers, or a future.
    pub(super) layers: TokenStream,
    /// Whether that borrows what surrounds it.
    pub(super) is_lent: bool,
}

/// What the cache answers, or what fills it.
pub(super) fn fill(wrapped: &Wrapped<'_>, index: usize, inner: &Inner, named: &Named, cached: &Cached) -> TokenStream {
    let cell = reached(named, index);
    let key = key(named, cached);
    let rules = rules(wrapped, cached, cached.store_if.as_ref(), cached.weigh.as_ref());
    // Resolved as the macro's own, or lints would take the borrow for the user's.
    let tags = cached.tags.iter().map(|it| {
        let span = it.span().resolved_at(Span::mixed_site());
        quote_spanned!(span=> __ddd::Tag::new(&#it))
    });
    let tags = (!cached.tags.is_empty()).then(|| quote!([#(#tags),*]));
    let Inner { layers: inner, is_lent } = inner;
    if wrapped.body.is_sync() {
        return match tags {
            Some(tags) => {
                quote!(#cell.fill_now_tagged(#key, #rules, || ::core::convert::Into::into(#tags), || #inner))
            }
            None => quote!(#cell.fill_now(#key, #rules, || #inner)),
        };
    }
    if *is_lent {
        let (key_name, fill) = (local("__key"), local("__fill"));
        let tagged = tags.map(|it| quote!(.tagged(#it)));
        let method = method(cached, false);
        return quote! {{
            let #key_name = #key;
            let #fill = __ddd::Fill::new(#inner)#tagged;
            #cell.#method(#key_name, #rules, move || #fill).await
        }};
    }
    let make = match tags {
        Some(tags) => {
            let name = local("__tags");
            quote!(move || { let #name = #tags; __ddd::Fill::new(#inner).tagged(#name) })
        }
        None => quote!(move || #inner),
    };
    let method = method(cached, named.detached);
    quote!(#cell.#method(#key, #rules, #make).await)
}

/// How the cell is asked to fill.
fn method(cached: &Cached, detached: bool) -> Ident {
    let name = match (cached.is_shared.is_some(), detached) {
        (false, false) => "fill",
        (false, true) => "fill_detached",
        (true, false) => "fill_shared",
        (true, true) => "fill_shared_detached",
    };
    Ident::new(name, Span::mixed_site())
}

/// What is stored and shared, asked of the type that the function returns.
pub(super) fn rules(
    wrapped: &Wrapped<'_>,
    cached: &Cached,
    store_if: Option<&Expr>,
    weigh: Option<&Expr>,
) -> TokenStream {
    let output = &wrapped.body.output;
    let store_if = store_if.map(|it| quote_spanned!(it.span().resolved_at(Span::mixed_site())=> .store_if(#it)));
    let weigh = weigh.map(|it| quote_spanned!(it.span().resolved_at(Span::mixed_site())=> .weigh(#it)));
    let at_output = output.span().resolved_at(Span::mixed_site());
    let shared = cached.is_shared.map(|_| quote_spanned!(at_output=> .shared()));
    let rules = quote_spanned!(at_output=>
        (&&&__ddd::Shape::<#output>::new()).rules().kept() #shared #store_if #weigh
    );
    quote!({
        use __ddd::{RulesOfAny as _, RulesOfKnown as _, RulesOfShared as _};
        #rules
    })
}

/// The key of this call, told apart from the keys of other instances of the function.
fn key(named: &Named, cached: &Cached) -> TokenStream {
    let instance = cached.handle.as_ref().map(instance);
    let of = |wrapper: TokenStream, key: TokenStream| match &instance {
        // What a handle is for has a name, so that the handle can say the same.
        Some(instance) => quote!(__ddd::#wrapper::<#instance, _>::of(#key)),
        None => quote!(__ddd::#wrapper::new(&|| {}, #key)),
    };
    match &named.key {
        Key::Written(expr) => {
            let ty = cached.handle.as_ref().map(|it| &it.key).map(|it| quote!(::<#it>));
            let written = asked("written", cached, expr.span());
            of(quote!(Of), quote_spanned!(expr.span()=> __ddd::CacheKeyOf #ty (#expr).#written()))
        }
        Key::Arguments(parts) => {
            let lends = parts.iter().any(|it| it.is_borrowed);
            of(if lends { quote!(Parts) } else { quote!(Of) }, arguments(cached, parts, lends))
        }
        Key::None => quote!(()),
    }
}

/// The method by which a key is asked whether it is one, for this process or for all.
fn asked(name: &str, cached: &Cached, span: Span) -> Ident {
    let shared = if cached.is_shared.is_some() { "_shared" } else { "" };
    Ident::new(&format!("{name}{shared}"), span.resolved_at(Span::mixed_site()))
}

/// What stands for the instance of a function with a handle.
pub(super) fn instance(handle: &Handle) -> TokenStream {
    if handle.of_self { quote!(Self) } else { quote!(()) }
}

/// All arguments. What is borrowed is looked up as it is, and copied only to be kept.
fn arguments(cached: &Cached, parts: &[Part], lends: bool) -> TokenStream {
    let all = parts.iter().map(|it| {
        let (name, span) = (&it.ident, it.ty.span().resolved_at(Span::mixed_site()));
        let (part, borrowed) = (asked("part", cached, span), asked("borrowed", cached, span));
        match (lends, it.is_borrowed) {
            (false, _) => quote_spanned!(span=> __ddd::CacheKeyOf(&#name).#part()),
            (true, true) => quote_spanned!(span=> __ddd::Lent(__ddd::CacheKeyOf(#name).#borrowed())),
            (true, false) => quote_spanned!(span=> __ddd::Own(__ddd::CacheKeyOf(&#name).#part())),
        }
    });
    match parts.len() {
        1 => quote!(#(#all)*),
        _ => quote!((#(#all),*)),
    }
}
