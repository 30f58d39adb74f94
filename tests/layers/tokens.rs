//! Paths in what is not parsed: the tokens of macro calls, of `macro_rules!` and of attributes.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::UseTree;

use crate::tree::Path;

/// A path with the line that it begins on.
pub(crate) type Found = (Path, usize);

/// Every path in `tokens`, at any depth. A `$crate` counts as `crate`. Text in string literals does not count.
pub(crate) fn paths(tokens: TokenStream) -> Vec<Found> {
    let mut found = Vec::new();
    scan(&tokens.into_iter().collect::<Vec<_>>(), &mut found);
    found
}

/// String literals in an attribute's tokens that read as a path of two segments or more, such as `with = "crate::text"`.
pub(crate) fn quoted_paths(tokens: TokenStream) -> Vec<Found> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => found.extend(quoted_paths(group.stream())),
            TokenTree::Literal(literal) => {
                let line = literal.span().start().line;
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    found.extend(quoted_path(&text.value()).map(|path| (path, line)));
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
    found
}

pub(crate) fn quoted_path(text: &str) -> Option<Path> {
    let path = syn::parse_str::<syn::Path>(text).ok()?;
    (path.segments.len() > 1).then(|| of_syn(&path))
}

pub(crate) fn of_syn(path: &syn::Path) -> Path {
    Path {
        absolute: path.leading_colon.is_some(),
        segments: path.segments.iter().map(|it| plain(&it.ident.to_string())).collect(),
    }
}

/// The leaves of a `use`: path, name that it binds (`None` for a glob), line.
pub(crate) fn leaves(tree: &UseTree, prefix: &Path, found: &mut Vec<(Path, Option<String>, usize)>) {
    let step = |ident: &proc_macro2::Ident| prefix.joined(&[plain(&ident.to_string())]);
    match tree {
        UseTree::Path(it) => leaves(&it.tree, &step(&it.ident), found),
        UseTree::Name(it) if it.ident == "self" && !prefix.segments.is_empty() => {
            found.push((prefix.clone(), prefix.segments.last().cloned(), it.ident.span().start().line));
        }
        UseTree::Name(it) => {
            found.push((step(&it.ident), Some(plain(&it.ident.to_string())), it.ident.span().start().line));
        }
        UseTree::Rename(it) => {
            let path = if it.ident == "self" { prefix.clone() } else { step(&it.ident) };
            found.push((path, Some(plain(&it.rename.to_string())), it.ident.span().start().line));
        }
        UseTree::Glob(it) => found.push((prefix.clone(), None, it.star_token.span.start().line)),
        UseTree::Group(it) => {
            for item in &it.items {
                leaves(item, prefix, found);
            }
        }
    }
}

/// A name without the `r#` of a raw identifier.
pub(crate) fn plain(ident: &str) -> String {
    ident.strip_prefix("r#").unwrap_or(ident).to_owned()
}

fn scan(tokens: &[TokenTree], found: &mut Vec<Found>) {
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => {
                scan(&group.stream().into_iter().collect::<Vec<_>>(), found);
                at += 1;
            }
            TokenTree::Ident(ident) if is_start(tokens, at) => {
                let absolute = at >= 2 && is_path_separator(tokens, at - 2) && !follows_a_name(tokens, at - 2);
                let line = ident.span().start().line;
                let mut segments = vec![plain(&ident.to_string())];
                at += 1;
                while is_path_separator(tokens, at)
                    && let Some(TokenTree::Ident(next)) = tokens.get(at + 2)
                {
                    segments.push(plain(&next.to_string()));
                    at += 3;
                }
                let path = Path { absolute, segments };
                at += grouped(tokens, at, &path, found);
                found.push((path, line));
            }
            _ => at += 1,
        }
    }
}

/// `prefix::{a, b::c}` in the tokens of a macro: a `use` that the macro writes. Answers how many tokens it took.
fn grouped(tokens: &[TokenTree], at: usize, prefix: &Path, found: &mut Vec<Found>) -> usize {
    if is_path_separator(tokens, at)
        && let Some(TokenTree::Group(group)) = tokens.get(at + 2)
        && group.delimiter() == Delimiter::Brace
        && let Ok(tree) = syn::parse2::<UseTree>(TokenStream::from(TokenTree::Group(group.clone())))
    {
        let mut all = Vec::new();
        leaves(&tree, prefix, &mut all);
        found.extend(all.into_iter().map(|(path, _, line)| (path, line)));
        return 3;
    }
    0
}

/// Not a field or method (`.name`), not a lifetime, not a fragment of `macro_rules!` unless it is `$crate`.
fn is_start(tokens: &[TokenTree], at: usize) -> bool {
    let TokenTree::Ident(ident) = &tokens[at] else { return false };
    match at.checked_sub(1).map(|before| &tokens[before]) {
        Some(TokenTree::Punct(punct)) => match punct.as_char() {
            '.' => at >= 2 && matches!(&tokens[at - 2], TokenTree::Punct(it) if it.as_char() == '.'),
            '\'' => false,
            '$' => ident == "crate",
            _ => true,
        },
        _ => true,
    }
}

fn is_path_separator(tokens: &[TokenTree], at: usize) -> bool {
    matches!(
        (tokens.get(at), tokens.get(at + 1)),
        (Some(TokenTree::Punct(first)), Some(TokenTree::Punct(second)))
            if first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':'
    )
}

/// Whether the `::` at `at` continues a path, as in `Vec::<u8>::new`, rather than beginning one.
fn follows_a_name(tokens: &[TokenTree], at: usize) -> bool {
    match at.checked_sub(1).map(|before| &tokens[before]) {
        Some(TokenTree::Ident(_)) => true,
        Some(TokenTree::Punct(punct)) => punct.as_char() == '>',
        _ => false,
    }
}
