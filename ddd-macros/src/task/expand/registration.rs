//! The registration: a static definition, its submission to the linker, and the implementation of `Task`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ext::IdentExt, spanned::Spanned};

use super::{options::options, run::run};
use crate::task::{
    fields::json_name,
    valid::{Body, Doc, Task},
};

/// All of it, out of the way of the user's names.
pub(super) fn registration(task: &Task<'_>, private: &TokenStream) -> TokenStream {
    let (command, name, doc) = (&task.command, &task.name, doc(task));
    let cfgs = task.attrs("cfg");
    let options = options(&task.settings);
    let body = match task.body {
        Body::Async => quote!(__ddd::Body::Async(__run)),
        Body::Blocking => quote!(__ddd::Body::Blocking(__run)),
        Body::Remote => quote!(__ddd::Body::Remote),
    };
    let settings = &task.settings;
    let plain = !task.has_garde() && settings.unique.is_none() && settings.concurrency.is_none();
    let check = if plain { quote!(check_shape::<#command>) } else { quote!(check::<#command>) };
    let dependencies = task.injected().map(|it| {
        let (param, ty) = (json_name(&it.ident), &it.ty);
        quote_spanned!(ty.span()=> __ddd::Dependency::of::<#ty>(#param))
    });
    let secrets = task.stored().filter(|it| it.secret).flat_map(|it| &it.keys);
    let asserted = params(task);
    let (run, implementation) = (run(task), implementation(task));
    quote! {
        #(#cfgs)*
        #[allow(deprecated)]
        const _: () = {
            use #private as __ddd;
            #asserted
            static __TASK: __ddd::Definition = __ddd::definition::<#command>(
                #name,
                #doc,
                (::core::module_path!(), ::core::file!(), ::core::line!()),
                #options,
                #body,
                __ddd::#check,
                &[#(#dependencies),*],
                &[#(#secrets),*],
            );
            __ddd::inventory::submit! { __ddd::Registration::new(&__TASK) }
            #implementation
            #run
        };
    }
}

/// That the parameters can be kept, asked at their types before their derives are read; of a trait, that nothing be
/// generated. Where an attribute says how a parameter is written, its type need not know.
fn params(task: &Task<'_>) -> Option<TokenStream> {
    let mut types = task.stored().filter(|it| it.attrs.is_empty()).map(|it| &it.ty).peekable();
    types.peek()?;
    let bounds = types.map(|ty| quote_spanned!(ty.span()=> #ty: __ddd::TaskParam));
    Some(quote! {
        #[allow(trivial_bounds)]
        trait __Params where #(#bounds),* {}
    })
}

fn implementation(task: &Task<'_>) -> TokenStream {
    let (command, output) = (&task.command, task.output());
    let output = quote_spanned!(output.span()=> <#output as __ddd::TaskReturn>::Output);
    let (read, deserialize) = reading(task).unzip();
    let validate = task.has_garde().then(|| {
        quote! {
            fn validate(&self) -> ::core::result::Result<(), __ddd::InvalidParams> {
                ::garde::Validate::validate(self).map_err(|report| __ddd::first_violation(report.iter()))
            }
        }
    });
    let keys = keys(task);
    let shown = command.unraw().to_string();
    quote! {
        #[automatically_derived]
        impl __ddd::Task for #command {
            type Output = #output;
            #[inline]
            fn definition() -> &'static __ddd::Definition {
                &__TASK
            }
            #read
            #validate
            #keys
        }
        #deserialize
        #[automatically_derived]
        impl ::core::fmt::Debug for #command {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                __ddd::debug(self, #shown, f)
            }
        }
    }
}

/// How the struct is read where no attribute of serde's has a say: from parameters, and from any format.
fn reading(task: &Task<'_>) -> Option<(TokenStream, TokenStream)> {
    if !task.is_plain() {
        return None;
    }
    let members = super::run::local("__members");
    let (command, name) = (&task.command, task.command.unraw().to_string());
    let names: Vec<_> = task.stored().map(|it| &it.keys[0]).collect();
    let idents: Vec<_> = task.stored().map(|it| &it.ident).collect();
    let values: Vec<_> = (0..idents.len()).map(|it| super::run::numbered("__value", it)).collect();
    let fields = task.stored().enumerate().map(|(index, it)| {
        let ident = &it.ident;
        let value = quote_spanned!(it.ty.span()=> #members.read(#index));
        quote!(#ident: #value?)
    });
    let from_params = quote! {
        fn from_params(params: &__ddd::RawValue) -> ::core::result::Result<Self, __ddd::InvalidParams> {
            let #members = __ddd::members(params, &[#(#names),*])?;
            ::core::result::Result::Ok(Self { #(#fields),* })
        }
    };
    let read = quote_spanned!(command.span()=> __ddd::fields(it, #name, &[#(#names),*])?);
    let deserialize = quote! {
        #[automatically_derived]
        impl<'de> __ddd::serde::Deserialize<'de> for #command {
            fn deserialize<D: __ddd::serde::Deserializer<'de>>(it: D) -> ::core::result::Result<Self, D::Error> {
                let (#(#values,)*) = #read;
                ::core::result::Result::Ok(Self { #(#idents: #values),* })
            }
        }
    };
    Some((from_params, deserialize))
}

/// The keys, as expressions over the parameters.
fn keys(task: &Task<'_>) -> Option<TokenStream> {
    let unique = task.settings.unique.as_ref();
    let concurrency = task.settings.concurrency.as_ref();
    if unique.is_none() && concurrency.is_none() {
        return None;
    }
    let key = |expr: &Expr| quote_spanned!(expr.span()=> __ddd::key(&#expr));
    let unique = match unique.map(|it| &it.by) {
        Some(Some(expr)) => key(expr),
        Some(None) => quote!(__ddd::unique_by_params(self)),
        None => quote!(::core::option::Option::None),
    };
    let concurrency = concurrency.map_or_else(|| quote!(::core::option::Option::None), |it| key(&it.key));
    let params = task.stored().map(|it| &it.ident);
    Some(quote! {
        fn keys(&self) -> __ddd::Keys {
            #[allow(unused_variables)]
            let Self { #(#params),* } = self;
            __ddd::Keys::new(#unique, #concurrency)
        }
    })
}

/// The function's documentation as one text.
fn doc(task: &Task<'_>) -> TokenStream {
    let lines = task.doc();
    if lines.iter().all(|it| matches!(it, Doc::Text(_))) {
        let lines: Vec<_> = lines.iter().map(|it| if let Doc::Text(it) = it { it.as_str() } else { "" }).collect();
        return lines.join("\n").to_token_stream();
    }
    let parts = lines.iter().map(|it| match it {
        Doc::Text(line) => quote!(#line, "\n"),
        Doc::Expr(expr) => quote!(#expr, "\n"),
    });
    quote!(::core::concat!(#(#parts),*))
}
