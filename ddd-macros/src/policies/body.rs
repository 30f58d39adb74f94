//! What kind of function it is, and where its own statements are.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Attribute, Block, Expr, ExprAsync, GenericArgument, PathArguments, Result, ReturnType, Signature, Stmt, Type,
    TypeParamBound,
    parse::{ParseStream, Parser},
    punctuated::Punctuated,
};

/// A function's body, taken apart.
pub(super) struct Body {
    pub(super) form: Form,
    /// Attributes that stand inside of it, for all of it.
    pub(super) inner: Vec<Attribute>,
    /// The user's own statements.
    pub(super) statements: TokenStream,
    /// What they return; `()` if nothing is written.
    pub(super) output: Type,
}

/// How the body is called.
pub(super) enum Form {
    /// `async fn`.
    Async,
    /// `fn`.
    Sync,
    /// `fn` that ends in an `async` block, bare or in a box, as `#[async_trait]` writes it: what stands before the block, and
    /// what wraps it.
    Future { before: TokenStream, wrap: Option<TokenStream> },
}

impl Body {
    /// Whether it does not wait.
    pub(super) const fn is_sync(&self) -> bool {
        matches!(self.form, Form::Sync)
    }
}

/// Takes apart what stands between the braces.
pub(super) fn of(sig: &Signature, body: &TokenStream) -> Body {
    let (inner, statements) = without_attributes(body);
    let returned = match &sig.output {
        ReturnType::Default => syn::parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    if sig.asyncness.is_some() {
        return Body { form: Form::Async, inner, statements, output: returned };
    }
    if let Some(output) = future_output(&returned)
        && let Some((before, wrap, block)) = future(&statements)
    {
        return Body { form: Form::Future { before, wrap }, inner, statements: block, output };
    }
    Body { form: Form::Sync, inner, statements, output: returned }
}

/// Whether the function returns a future that it does not write as a block at its end.
pub(super) fn returns_future(body: &Body) -> bool {
    matches!(body.form, Form::Sync) && future_output(&body.output).is_some()
}

fn without_attributes(body: &TokenStream) -> (Vec<Attribute>, TokenStream) {
    let parse = |input: ParseStream<'_>| -> Result<_> { Ok((Attribute::parse_inner(input)?, input.parse()?)) };
    parse.parse2(body.clone()).unwrap_or_else(|_| (Vec::new(), body.clone()))
}

/// The `async move { … }` that the statements end with: what stands before it, what it stands in, and its inside.
fn future(statements: &TokenStream) -> Option<(TokenStream, Option<TokenStream>, TokenStream)> {
    let statements = Block::parse_within.parse2(statements.clone()).ok()?;
    let (last, before) = statements.split_last()?;
    let before = quote!(#(#before)*);
    let Stmt::Expr(last, None) = last else { return None };
    if let Some(block) = moved(last) {
        return Some((before, None, block));
    }
    let Expr::Call(call) = last else { return None };
    let Expr::Path(wrap) = &*call.func else { return None };
    let is_pin = wrap.path.segments.last().is_some_and(|it| it.ident == "pin");
    let block = call.args.first().filter(|_| is_pin && call.args.len() == 1).and_then(moved)?;
    Some((before, Some(wrap.to_token_stream()), block))
}

fn moved(expr: &Expr) -> Option<TokenStream> {
    match expr {
        Expr::Async(ExprAsync { capture: Some(_), block, .. }) => {
            let statements = &block.stmts;
            Some(quote!(#(#statements)*))
        }
        _ => None,
    }
}

/// `T` of `impl Future<Output = T>`, `Pin<Box<dyn Future<Output = T> + Send>>` and the like.
fn future_output(ty: &Type) -> Option<Type> {
    match ty {
        Type::ImplTrait(it) => output_of(&it.bounds),
        Type::TraitObject(it) => output_of(&it.bounds),
        Type::Path(it) => {
            let last = it.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            let is_pointer = last.ident == "Pin" || last.ident == "Box";
            arguments.args.iter().filter(|_| is_pointer).find_map(|it| match it {
                GenericArgument::Type(it) => future_output(it),
                _ => None,
            })
        }
        _ => None,
    }
}

fn output_of(bounds: &Punctuated<TypeParamBound, syn::Token![+]>) -> Option<Type> {
    bounds.iter().find_map(|it| {
        let TypeParamBound::Trait(bound) = it else { return None };
        let last = bound.path.segments.last().filter(|it| it.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|it| match it {
            GenericArgument::AssocType(it) if it.ident == "Output" => Some(it.ty.clone()),
            _ => None,
        })
    })
}
