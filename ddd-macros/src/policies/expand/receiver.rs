//! `self` in a body that runs again and again: another attempt needs it, too.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{FnArg, ReceiverKind, Type};

use super::local::local;
use crate::policies::{arguments::Receiver, kind::Kind, valid::Wrapped};

/// What stands in for `self` in each attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempted {
    /// `self`, lent.
    Lent,
    /// A copy.
    Copied,
}

/// How an attempt of a retry has `self`, if it is not only looked at: `&mut self` is lent anew; `self` by value is lent as long as the
/// body does not give it away, and an `Arc` is cheap to copy.
pub(super) fn attempted(wrapped: &Wrapped<'_>) -> Option<Attempted> {
    wrapped.policies.iter().find(|it| it.policy.kind == Kind::Retry)?;
    match wrapped.arguments.receiver? {
        Receiver::Shared => None,
        Receiver::Exclusive => Some(Attempted::Lent),
        Receiver::Owned if is_counted(wrapped) || gives_away(&wrapped.body.statements) => Some(Attempted::Copied),
        Receiver::Owned => Some(Attempted::Lent),
    }
}

/// The statements for one attempt.
pub(super) fn statements(wrapped: &Wrapped<'_>) -> TokenStream {
    let statements = &wrapped.body.statements;
    match (attempted(wrapped), wrapped.arguments.receiver) {
        (Some(Attempted::Copied), _) => each(statements, &mut |token, _| {
            let copy = Ident::new("__self", token.span().resolved_at(Span::mixed_site()));
            Some(copy.to_token_stream())
        }),
        (Some(Attempted::Lent), Some(Receiver::Exclusive)) => {
            each(statements, &mut |token, is_given| is_given.then(|| quote!(&mut *#token)))
        }
        _ => statements.clone(),
    }
}

/// The copy of `self` for one attempt.
pub(super) fn copy(wrapped: &Wrapped<'_>) -> Option<TokenStream> {
    if attempted(wrapped) != Some(Attempted::Copied) {
        return None;
    }
    let receiver = wrapped.function.sig.inputs.iter().find_map(|it| match it {
        FnArg::Receiver(it) => Some(it),
        FnArg::Typed(_) => None,
    })?;
    let (copy, mutable) = (local("__self"), receiver.mutability.map(|_| quote!(mut)));
    let span = receiver.self_token.span.resolved_at(Span::mixed_site());
    let this = &receiver.self_token;
    let again = quote_spanned!(span=> __ddd::again(&#this));
    Some(quote!(let #mutable #copy = #again;))
}

/// `self: Arc<Self>`, `self: Rc<Self>`.
fn is_counted(wrapped: &Wrapped<'_>) -> bool {
    wrapped.function.sig.inputs.iter().any(|it| {
        let FnArg::Receiver(it) = it else { return false };
        let ReceiverKind::Typed(_, ty) = &it.kind else { return false };
        let Type::Path(path) = &**ty else { return false };
        path.path.segments.last().is_some_and(|it| it.ident == "Arc" || it.ident == "Rc")
    })
}

/// Whether `self` is given away, as far as that can be seen: it stands by itself, and not behind a `&` or before a `.`.
fn gives_away(statements: &TokenStream) -> bool {
    let mut found = false;
    each(statements, &mut |_, is_given| {
        found |= is_given;
        None
    });
    found
}

/// What becomes of a `self`; it is told whether that is given away.
type Replace<'a> = dyn FnMut(&TokenTree, bool) -> Option<TokenStream> + 'a;

/// The same tokens with what `replace` says for each `self` of this method: those of items inside of it are of another.
fn each(tokens: &TokenStream, replace: &mut Replace<'_>) -> TokenStream {
    within(tokens, false, replace)
}

fn within(tokens: &TokenStream, is_macro: bool, replace: &mut Replace<'_>) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut all = TokenStream::new();
    let mut item = None;
    for (index, token) in tokens.iter().enumerate() {
        item = item.or_else(|| begun(&tokens, index));
        match (token, item) {
            (TokenTree::Group(group), None) => {
                let in_macro = is_macro || is_punct(&tokens, index, 1, '!');
                let mut inner = Group::new(group.delimiter(), within(&group.stream(), in_macro, replace));
                inner.set_span(group.span());
                inner.to_tokens(&mut all);
            }
            (TokenTree::Ident(it), None) if it == "self" && !is_path(&tokens, index) => {
                let is_given = is_given(&tokens, index, is_macro);
                let replaced = replace(token, is_given).unwrap_or_else(|| token.to_token_stream());
                replaced.to_tokens(&mut all);
            }
            _ => token.to_tokens(&mut all),
        }
        if item.is_some_and(|it| it.ends_with(token)) {
            item = None;
        }
    }
    all
}

/// An item in a body.
#[derive(Clone, Copy)]
enum Item {
    /// It ends with braces.
    Braces,
    /// It ends with a semicolon.
    Semicolon,
}

impl Item {
    fn ends_with(self, token: &TokenTree) -> bool {
        match (self, token) {
            (Self::Braces, TokenTree::Group(it)) => it.delimiter() == Delimiter::Brace,
            (Self::Semicolon, TokenTree::Punct(it)) => it.as_char() == ';',
            _ => false,
        }
    }
}

/// The item that begins here, if one does.
fn begun(tokens: &[TokenTree], index: usize) -> Option<Item> {
    let TokenTree::Ident(word) = &tokens[index] else { return None };
    let is_named = matches!(tokens.get(index + 1), Some(TokenTree::Ident(_)));
    match word.to_string().as_str() {
        "impl" | "trait" | "mod" => Some(Item::Braces),
        "fn" if is_named => Some(Item::Braces),
        "use" => Some(Item::Semicolon),
        _ => None,
    }
}

/// `self::…`.
fn is_path(tokens: &[TokenTree], index: usize) -> bool {
    matches!(tokens.get(index + 1), Some(TokenTree::Punct(it)) if it.as_char() == ':')
        && matches!(tokens.get(index + 2), Some(TokenTree::Punct(it)) if it.as_char() == ':')
}

fn is_given(tokens: &[TokenTree], index: usize, is_macro: bool) -> bool {
    // `let __self = self;`, as `#[async_trait]` writes it, wherever that stands.
    let is_word =
        |back: usize, word: &str| index >= back && matches!(&tokens[index - back], TokenTree::Ident(it) if it == word);
    if is_word(2, "__self") {
        return true;
    }
    let is_lent = is_punct(tokens, index, 1, '&')
        || is_punct(tokens, index, 1, '*')
        || is_word(1, "mut") && is_punct(tokens, index, 2, '&');
    let is_used = match tokens.get(index + 1) {
        Some(TokenTree::Punct(it)) => matches!(it.as_char(), '.' | '?' | '=' | '<' | '>' | '!'),
        Some(TokenTree::Group(it)) => it.delimiter() != Delimiter::Brace,
        _ => false,
    };
    // What a macro does with it nobody knows; most only look at it.
    !is_macro && !is_lent && !is_used
}

fn is_punct(tokens: &[TokenTree], index: usize, back: usize, wanted: char) -> bool {
    index >= back && matches!(&tokens[index - back], TokenTree::Punct(it) if it.as_char() == wanted)
}
