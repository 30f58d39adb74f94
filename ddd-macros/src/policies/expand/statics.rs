//! The state of each policy: a static inside of the body, and its registration.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;

use crate::policies::{
    kind::Kind,
    policy::{Handle, Policy, Setting, Value, What},
    valid::{Named, Wrapped},
};

/// The static of the policy at `index`. It lies open to the body, as every item does; its name is for no one else.
pub(super) fn cell(index: usize) -> Ident {
    format_ident!("__POLICY_{index}", span = Span::mixed_site())
}

/// The handle of a policy, if it has one: then its static stands inside of that.
pub(super) fn handle(named: &Named) -> Option<&Handle> {
    match &named.policy.what {
        What::Cached(it) => it.handle.as_ref(),
        _ => None,
    }
}

/// The path of what generated code may touch.
pub(super) fn private(wrapped: &Wrapped<'_>) -> TokenStream {
    match &wrapped.krate {
        Some(path) => quote!(#path::__private::policies),
        None => quote!(::ddd_core::__private::policies),
    }
}

/// The state of the policy at `index`: its static, or what its handle leads to.
pub(super) fn reached(named: &Named, index: usize) -> TokenStream {
    match handle(named) {
        Some(handle) => {
            let name = &handle.name;
            if handle.of_self { quote!(Self::#name.cell()) } else { quote!(#name.cell()) }
        }
        None => cell(index).to_token_stream(),
    }
}

/// The static and its registration.
pub(super) fn state(wrapped: &Wrapped<'_>, index: usize) -> TokenStream {
    let named = &wrapped.policies[index];
    let (cell, site, settings) = (cell(index), site(wrapped, index), settings(named));
    let cell_type = Ident::new(names(named.policy.kind).0, Span::mixed_site());
    quote! {
        static #cell: __ddd::#cell_type = __ddd::#cell_type::new(#site, #settings);
        __ddd::inventory::submit! { __ddd::PolicyRegistration::new(&#cell) }
    }
}

/// The types of a kind: its cell and its settings.
const fn names(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Cached => ("CachedCell", "CachedSettings"),
        Kind::RateLimited => ("RateLimitedCell", "RateLimitedSettings"),
        Kind::Retry => ("RetryCell", "RetrySettings"),
        Kind::CircuitBreaker => ("CircuitBreakerCell", "CircuitBreakerSettings"),
        Kind::Timeout => ("TimeoutCell", "TimeoutSettings"),
        Kind::Bulkhead => ("BulkheadCell", "BulkheadSettings"),
    }
}

fn site(wrapped: &Wrapped<'_>, index: usize) -> TokenStream {
    let named = &wrapped.policies[index];
    let function = format!("::{}", wrapped.function.sig.ident.unraw());
    let (line, position) = (line(named.policy.span), Literal::usize_unsuffixed(index));
    let name = named.name.as_ref().map(|it| {
        let text = &it.text;
        if it.is_own { quote!(.named(#text)) } else { quote!(.called(#text)) }
    });
    let stated = stated(&named.policy);
    let stated = (!stated.is_empty()).then(|| quote!(.stating(&[#(#stated),*])));
    quote! {
        __ddd::Site::new(::core::concat!(::core::module_path!(), #function), ::core::file!(), #line, #position)
            #name #stated
    }
}

/// The settings that an attribute states, by the names that they have in JSON: defaults of a configuration leave these alone.
fn stated(policy: &Policy) -> Vec<&'static str> {
    let preset: &[&str] = match (policy.kind, policy.start.name) {
        (_, "new") => &[],
        (Kind::Retry, _) => &["max_attempts", "delay", "backoff", "max_delay", "jitter"],
        (Kind::RateLimited, _) => &["limit", "per"],
        _ => &[],
    };
    let said = policy.settings.iter().map(|it| match it.name {
        "forever" => "ttl",
        "shared" => "scope",
        name => name,
    });
    let mut all: Vec<_> = preset.iter().copied().chain(said).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The line of an attribute: what `line!()` says is the line of the one that expands, also for those that it takes along.
fn line(span: Span) -> TokenStream {
    if proc_macro::is_available()
        && let Ok(line) = u32::try_from(span.unwrap().line())
    {
        let line = Literal::u32_unsuffixed(line);
        return quote!(#line);
    }
    quote!(::core::line!())
}

fn settings(named: &Named) -> TokenStream {
    let policy = &named.policy;
    let settings = Ident::new(names(policy.kind).1, Span::mixed_site());
    let start = call(&policy.start);
    let said = policy.settings.iter().map(call);
    quote!(__ddd::#settings::#start #(.#said)*)
}

fn call(setting: &Setting) -> TokenStream {
    let name = Ident::new(setting.name, Span::mixed_site());
    let arguments = match &setting.value {
        Value::Duration(it) => duration(*it),
        Value::Integer(it) => {
            let it = Literal::u64_unsuffixed(*it);
            quote!(#it)
        }
        Value::Number(it) => quote!(#it),
        Value::Flag(it) => quote!(#it),
        Value::Text(it) => quote!(#it),
        Value::Variant(of, variant) => {
            let (of, variant) = (Ident::new(of, Span::mixed_site()), Ident::new(variant, Span::mixed_site()));
            quote!(__ddd::#of::#variant)
        }
        Value::Quota(limit, per) => {
            let (limit, per) = (Literal::u64_unsuffixed(*limit), duration(*per));
            quote!(#limit, #per)
        }
        Value::Nothing => TokenStream::new(),
    };
    quote_spanned!(Span::mixed_site()=> #name(#arguments))
}

fn duration(duration: std::time::Duration) -> TokenStream {
    if duration.subsec_nanos() == 0 {
        let seconds = duration.as_secs();
        return quote!(::core::time::Duration::from_secs(#seconds));
    }
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_millis(#millis))
}
