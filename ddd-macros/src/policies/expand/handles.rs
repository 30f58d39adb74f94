//! Handles: constants through which the user reaches the values of a cache.

use proc_macro2::TokenStream;
use quote::quote;

use super::{cached, statics};
use crate::policies::{
    policy::{Cached, Handle, What},
    valid::Wrapped,
};

/// The constants, each with the static that it leads to.
pub(super) fn handles(wrapped: &Wrapped<'_>) -> TokenStream {
    let all = wrapped.policies.iter().enumerate();
    all.filter_map(|(index, it)| match &it.policy.what {
        What::Cached(cached) => Some(handle(wrapped, index, cached, cached.handle.as_ref()?)),
        _ => None,
    })
    .collect()
}

fn handle(wrapped: &Wrapped<'_>, index: usize, cached: &Cached, handle: &Handle) -> TokenStream {
    let (private, vis, name, key) = (statics::private(wrapped), &wrapped.function.vis, &handle.name, &handle.key);
    let (state, cell) = (statics::state(wrapped, index), statics::cell(index));
    let (instance, output) = (cached::instance(handle), &wrapped.body.output);
    let cfgs = wrapped.function.attrs.iter().filter(|it| it.path().is_ident("cfg"));
    let stored = cached::rules(wrapped, cached, cached.store_if.as_ref(), None);
    let bare = cached::rules(wrapped, cached, None, None);
    let weighed = cached.weigh.as_ref().map(|weigh| {
        let rules = cached::rules(wrapped, cached, None, Some(weigh));
        quote!(.weighed(|it| __ddd::CacheRules::weight(&#rules, it)))
    });
    let (new, coded) = match cached.is_shared {
        Some(_) => (quote!(new_shared), Some(quote!(.coded(|| __ddd::codec(&#bare))))),
        None => (quote!(new), None),
    };
    let doc = format!("The cache of `{}`.", wrapped.function.sig.ident);
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #vis const #name: #private::CacheHandle<#key, #output> = {
            use #private as __ddd;
            #state
            __ddd::CacheHandle::#new::<#instance>(
                &#cell,
                __ddd::HandleRules::new(
                    |it| __ddd::CacheRules::is_stored(&#stored, it),
                    |it| __ddd::CacheRules::share(&#bare, it),
                ) #weighed #coded,
            )
        };
    }
}
