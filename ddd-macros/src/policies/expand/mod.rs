//! What a function with policies becomes. Nothing here can fail, and nothing here is an algorithm: the runtime holds those.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, Type, spanned::Spanned};

use super::{
    arguments::is_hidden,
    body::Form,
    kind::Kind,
    policy::What,
    valid::{Named, Wrapped},
};

mod attempts;
mod cached;
mod function;
mod handles;
mod layers;
mod local;
mod receiver;
mod statics;

use layers::Layers;
use local::local;

/// The function with its policies around its body, and their handles.
pub(super) fn expand(wrapped: &Wrapped<'_>) -> TokenStream {
    let handles = handles::handles(wrapped);
    let body = body(wrapped);
    let function = function::with_body(wrapped, &body);
    quote!(#handles #function)
}

fn body(wrapped: &Wrapped<'_>) -> TokenStream {
    let private = statics::private(wrapped);
    let inner = &wrapped.body.inner;
    let siblings = wrapped.siblings.iter().map(|it| quote!(#[allow(unused_imports)] use #it as _;));
    let states = (0..wrapped.policies.len())
        .filter(|it| statics::handle(&wrapped.policies[*it]).is_none())
        .map(|it| statics::state(wrapped, it));
    let call = match &wrapped.body.form {
        Form::Async | Form::Sync => call(wrapped),
        Form::Future { before, wrap } => {
            let call = call(wrapped);
            let block = quote!(async move { #call });
            match wrap {
                Some(wrap) => quote!(#before #wrap(#block)),
                None => quote!(#before #block),
            }
        }
    };
    quote! {{
        #(#inner)*
        use #private as __ddd;
        #(#siblings)*
        #(#states)*
        #call
    }}
}

/// The layers, and what the function returns after them.
fn call(wrapped: &Wrapped<'_>) -> TokenStream {
    let output = &wrapped.body.output;
    let at_output = output.span().resolved_at(Span::mixed_site());
    let can_refuse = wrapped.policies.iter().any(|it| it.policy.kind.can_refuse());
    let refusal = if can_refuse { quote!(__ddd::Refused) } else { quote!(::core::convert::Infallible) };
    let layers = Layers { wrapped, refusal, body: statements(wrapped) };
    let judge = judge(wrapped);
    let (frame, out) = (layers.frame(0), local("__out"));
    let settled = if can_refuse {
        // The same variable, where the compiler is to point.
        let out = Ident::new("__out", at_output);
        quote_spanned!(at_output=> __ddd::refusable(#out))
    } else {
        quote!(__ddd::never_refused(#out))
    };
    quote! {
        #judge
        let #out = #frame;
        #settled
    }
}

/// What tells good calls from bad ones, if there is a policy that asks.
fn judge(wrapped: &Wrapped<'_>) -> Option<TokenStream> {
    let is_asked = |it: &Named| matches!(it.policy.what, What::Judging { .. });
    wrapped.policies.iter().find(|it| is_asked(it))?;
    let output = erased(&wrapped.body.output);
    let judge = local("__judge");
    // Without a `Result`, only the user can tell.
    let is_left_alone =
        |it: &Named| it.policy.kind == Kind::Retry && matches!(it.policy.what, What::Judging { when: None });
    let at_output = output.span().resolved_at(Span::mixed_site());
    // A hidden type cannot be asked for by its name.
    let is_asked = wrapped.policies.iter().any(is_left_alone) && !is_hidden(&wrapped.body.output);
    let check = is_asked.then(|| quote_spanned!(at_output=> __ddd::needs_result::<#output>();));
    let shape = quote_spanned!(at_output=> (&&&__ddd::Shape::<#output>::new()).judge());
    Some(quote! {
        #check
        let #judge = {
            use __ddd::{JudgeOfAny as _, JudgeOfClassified as _, JudgeOfResult as _};
            #shape
        };
    })
}

/// The user's own statements, called: a block of their own, so that `?` and `return` leave them and not the layers.
fn statements(wrapped: &Wrapped<'_>) -> TokenStream {
    let (statements, output) = (receiver::statements(wrapped), &wrapped.body.output);
    let erased = erased(output);
    if wrapped.body.is_sync() {
        let returned = (!is_hidden(output)).then(|| quote!(-> #output));
        return quote!((move || #returned { #statements })());
    }
    let returned = local("__returned");
    // The first `return` of a block decides its type, which nothing else in it may say.
    let typed = (!is_unit(output)).then(|| {
        quote_spanned!(output.span().resolved_at(Span::mixed_site())=>
            if let ::core::option::Option::Some(#returned) = ::core::option::Option::None::<#erased> {
                #[allow(unreachable_code)]
                return #returned;
            }
        )
    });
    match receiver::attempted(wrapped) {
        Some(_) => quote!(async { #typed #statements }.await),
        None => quote!(async move { #typed #statements }.await),
    }
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(it) if it.elems.is_empty())
}

/// A type as it can be written inside of a body: what hides behind `impl Trait` is left to the compiler.
fn erased(ty: &Type) -> TokenStream {
    if !is_hidden(ty) {
        return ty.to_token_stream();
    }
    function::without_hidden(ty)
}
