//! A function as it is written: its body is not looked into, so that a half-typed one does not hide the rest.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Error, FnArg, Result, Signature, Token, Visibility,
    parse::{ParseStream, Parser},
};

/// The attributes of parameters that are ours: they have moved to the fields when the function is emitted.
const OURS: [&str; 6] = ["doc", "serde", "schemars", "garde", "inject", "secret"];

/// The attributes that the language itself allows on parameters.
const LINTS: [&str; 5] = ["allow", "expect", "warn", "deny", "forbid"];

/// A function with a body, or a signature without one.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The braces and what is between them; none if a semicolon stands there.
    pub(crate) body: Option<TokenTree>,
}

/// Where an attribute of a parameter belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParamAttr {
    /// One of ours, which is not for the function.
    Ours,
    /// One for the compiler, which stays.
    Lint,
    /// Neither.
    Foreign,
}

impl ParamAttr {
    pub(crate) fn of(attr: &Attribute) -> Self {
        let is = |names: &[&str]| names.iter().any(|it| attr.path().is_ident(it));
        match () {
            () if is(&OURS) => Self::Ours,
            () if is(&LINTS) => Self::Lint,
            () => Self::Foreign,
        }
    }
}

impl Function {
    /// Reads `item`; `usage` says what to write if it is none.
    pub(crate) fn read(item: &TokenStream, usage: &str) -> Result<Self> {
        let parse = |input: ParseStream<'_>| Self::parse(input, usage);
        parse.parse2(item.clone())
    }

    fn parse(input: ParseStream<'_>, usage: &str) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !starts_function(input) {
            return Err(Error::new(input.span(), usage));
        }
        let sig = input.parse()?;
        let body = if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            None
        } else {
            let body = input.parse()?;
            match &body {
                TokenTree::Group(it) if it.delimiter() == Delimiter::Brace => Some(body),
                _ => return Err(Error::new(body.span(), "expected the body of the function: `{ … }`")),
            }
        };
        Ok(Self { attrs, vis, sig, body })
    }
}

impl Function {
    /// All of it as it is, the attributes of its parameters included.
    pub(crate) fn as_it_is(&self) -> TokenStream {
        let (attrs, vis, sig) = (&self.attrs, &self.vis, &self.sig);
        let body =
            self.body.as_ref().map_or_else(|| <Token![;]>::default().to_token_stream(), ToTokens::to_token_stream);
        quote!(#(#attrs)* #vis #sig #body)
    }
}

fn starts_function(input: ParseStream<'_>) -> bool {
    let qualified = input.peek(Token![const]) || input.peek(Token![unsafe]) || input.peek(Token![extern]);
    let followed = [
        input.peek2(Token![fn]),
        input.peek2(Token![async]),
        input.peek2(Token![unsafe]),
        input.peek2(Token![extern]),
        // `extern "C" fn`
        input.peek2(syn::LitStr) && input.peek3(Token![fn]),
    ];
    input.peek(Token![fn]) || input.peek(Token![async]) || (qualified && followed.contains(&true))
}

impl ToTokens for Function {
    /// The function as it is, less the attributes of its parameters.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut sig = self.sig.clone();
        for arg in &mut sig.inputs {
            let attrs = match arg {
                FnArg::Receiver(it) => &mut it.attrs,
                FnArg::Typed(it) => &mut it.attrs,
            };
            attrs.retain(|it| ParamAttr::of(it) == ParamAttr::Lint);
        }
        for attr in &self.attrs {
            attr.to_tokens(tokens);
        }
        self.vis.to_tokens(tokens);
        sig.to_tokens(tokens);
        match &self.body {
            Some(body) => body.to_tokens(tokens),
            None => <Token![;]>::default().to_tokens(tokens),
        }
    }
}
