//! The function that a worker calls.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;

use crate::task::{
    params::Param,
    valid::{Body, Task},
};

/// Parameters and dependencies in, JSON out.
pub(super) fn run(task: &Task<'_>, private: &TokenStream) -> Option<TokenStream> {
    let (asyncness, wait) = match task.body {
        Body::Async => (Some(quote!(async)), Some(quote!(.await))),
        Body::Blocking => (None, None),
        Body::Remote => return None,
    };
    let (call, params) = (local("__call"), local("__params"));
    let (function, command) = (&task.function.sig.ident, &task.command);
    let read = task.stored().next().is_some().then(|| quote!(let #params: #command = #call.params()?;));
    // Without parameters there is nothing to move, yet a record that holds some is refused.
    let read = read.unwrap_or_else(|| quote!(#call.params::<#command>()?;));
    let borrowed = task.injected().enumerate().filter(|(_, it)| it.by_reference).map(|(index, it)| {
        let (name, ty) = (dependency(index), &it.ty);
        quote!(let #name = #call.dependency::<#ty>()?;)
    });
    let mut index = 0;
    let args = task.params.iter().map(|param| match param {
        Param::Stored(it) => {
            let ident = &it.ident;
            quote!(#params.#ident)
        }
        Param::Injected(it) => {
            index += 1;
            let name = dependency(index - 1);
            if it.by_reference { quote!(&#name) } else { quote!(#private::injected(&#call)?) }
        }
    });
    let output = task.output();
    let returned = quote_spanned!(function.span()=> #function);
    Some(quote! {
        #asyncness fn __run(#call: #private::Call) -> #private::BodyResult {
            use #private::{ByKind as _, ByText as _};
            #read
            #(#borrowed)*
            #private::settle(
                #returned(#(#args),*) #wait,
                (&#private::ErrorTag::<<#output as #private::TaskReturn>::Error>::new()).convert(),
            )
        }
    })
}

/// A variable that the user's names cannot meet.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn dependency(index: usize) -> Ident {
    format_ident!("__dependency{index}", span = Span::mixed_site())
}
