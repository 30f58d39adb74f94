//! The struct of the same name: the parameters as data.

use proc_macro2::TokenStream;
use quote::quote;

use crate::task::valid::Task;

/// The struct, its fields the parameters.
pub(super) fn command(task: &Task<'_>, private: &TokenStream) -> TokenStream {
    let (vis, name) = (&task.function.vis, &task.command);
    let inherited = ["cfg", "doc"].into_iter().flat_map(|it| task.attrs(it));
    let path = |last: &str| format!("{}::{last}", private.to_string().replace(' ', ""));
    let (serde, schemars) = (path("serde"), path("schemars"));
    let deserialize = (!task.is_plain()).then(|| quote!(#private::serde::Deserialize,));
    let garde = task.has_garde().then(|| quote!(#[derive(::garde::Validate)] #[garde(allow_unvalidated)]));
    let fields = task.stored().map(|it| {
        let (attrs, ident, ty) = (&it.attrs, &it.ident, &it.ty);
        let secret = it.secret.then(|| quote!(#[schemars(extend("writeOnly" = true))]));
        quote!(#(#attrs)* #secret #vis #ident: #ty,)
    });
    quote! {
        #(#inherited)*
        #[derive(#private::serde::Serialize, #deserialize #private::schemars::JsonSchema)]
        #garde
        #[serde(crate = #serde, deny_unknown_fields)]
        #[schemars(crate = #schemars)]
        #[allow(non_camel_case_types, missing_docs)]
        #vis struct #name { #(#fields)* }
    }
}
