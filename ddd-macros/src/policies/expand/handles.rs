//! Handles: constants through which the user reaches the state of a cache or a limit.

use proc_macro2::TokenStream;
use quote::quote;

use super::{cached, private, statics};
use crate::policies::{
    policy::{Handle, What},
    valid::Wrapped,
};

/// The constants, each with the static that it leads to.
pub(super) fn handles(wrapped: &Wrapped<'_>) -> TokenStream {
    let all = wrapped.policies.iter().enumerate();
    all.filter_map(|(index, it)| Some(handle(wrapped, index, statics::handle(it)?))).collect()
}

fn handle(wrapped: &Wrapped<'_>, index: usize, handle: &Handle) -> TokenStream {
    let (private, vis, name, key) = (private(wrapped), &wrapped.function.vis, &handle.name, &handle.key);
    let (state, cell) = (statics::state(wrapped, index), statics::cell(index));
    let cfgs = wrapped.function.attrs.iter().filter(|it| it.path().is_ident("cfg"));
    let function = &wrapped.function.sig.ident;
    let (ty, value, doc) = match &wrapped.policies[index].policy.what {
        What::Cached(it) => {
            let output = &wrapped.body.output;
            let stored = cached::rules(wrapped, it.store_if.as_ref(), None);
            let shared = cached::rules(wrapped, None, None);
            let weighed = it.weigh.as_ref().map(|weigh| {
                let rules = cached::rules(wrapped, None, Some(weigh));
                quote!(.weighed(|it| __ddd::CacheRules::weight(&#rules, it)))
            });
            let rules = quote! {
                __ddd::HandleRules::new(
                    |it| __ddd::CacheRules::is_stored(&#stored, it),
                    |it| __ddd::CacheRules::share(&#shared, it),
                ) #weighed
            };
            (quote!(CacheHandle<#key, #output>), quote!(CacheHandle::new(&#cell, #rules)), "The cache of")
        }
        _ => (quote!(LimitHandle<#key>), quote!(LimitHandle::new(&#cell)), "The limit of"),
    };
    let doc = format!("{doc} `{function}`.");
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #vis const #name: #private::#ty = {
            use #private as __ddd;
            #state
            __ddd::#value
        };
    }
}
