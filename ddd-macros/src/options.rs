//! Options as they are written between the parentheses of an attribute: `flag`, `key = value`, `key(…)`.

use std::{fmt::Display, str::FromStr, time::Duration};

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{
    Error, Expr, ExprLit, ExprUnary, Ident, Lit, LitStr, Result, Token, Type, UnOp,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    spanned::Spanned,
    token::Paren,
};

use crate::{duration, errors::Errors, suggest};

/// One option as it is written.
pub(crate) struct Written {
    pub(crate) key: Ident,
    value: Value,
}

enum Value {
    Nothing,
    Is(Expr),
    Typed(Expr, Box<Type>),
    List(Paren, TokenStream),
}

/// What an attribute knows: the name of an option, and how it is written.
pub(crate) type Known = (&'static str, &'static str);

/// The options of one list, each at most once, all known.
pub(crate) struct Options {
    written: Vec<Written>,
    known: &'static [Known],
    /// Whether something was left out that nobody knows: it may have meant what is missing.
    has_unknown: bool,
}

impl Parse for Written {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let key = input
            .call(Ident::parse_any)
            .map_err(|it| Error::new(it.span(), "expected an option, such as `name = \"…\"`"))?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            let value = input.parse()?;
            if input.peek(Token![:]) {
                input.parse::<Token![:]>()?;
                Value::Typed(value, Box::new(input.parse()?))
            } else {
                Value::Is(value)
            }
        } else if input.peek(Paren) {
            let content;
            let paren = parenthesized!(content in input);
            Value::List(paren, content.parse()?)
        } else {
            Value::Nothing
        };
        Ok(Self { key, value })
    }
}

impl Written {
    /// An option whose name is left out: `value` stands for `key = value`.
    pub(crate) fn unnamed(key: &str, value: ExprLit) -> Self {
        Self { key: Ident::new(key, value.span()), value: Value::Is(Expr::Lit(value)) }
    }

    /// It, to be read; `usage` is the way to write it.
    pub(crate) fn found(&self, usage: &'static str) -> Found<'_> {
        Found { written: self, usage }
    }
}

impl Options {
    /// Reads `tokens` as a list of the options that are `known` to `whom`.
    pub(crate) fn read(tokens: TokenStream, whom: &str, known: &'static [Known], errors: &mut Errors) -> Self {
        let list = Punctuated::<Written, Token![,]>::parse_terminated.parse2(tokens);
        Self::of(errors.take(list).unwrap_or_default(), whom, known, errors)
    }

    /// Those of `list`, less the unknown and the repeated, which are reported.
    pub(crate) fn of(
        list: impl IntoIterator<Item = Written>,
        whom: &str,
        known: &'static [Known],
        errors: &mut Errors,
    ) -> Self {
        let mut written: Vec<Written> = Vec::new();
        let mut has_unknown = false;
        for option in list {
            let key = option.key.to_string();
            if !known.iter().any(|(it, _)| *it == key) {
                errors.at(option.key.span(), unknown(&key, whom, known));
                has_unknown = true;
            } else if written.iter().any(|it| it.key == option.key) {
                errors.at(option.key.span(), format!("`{key}` is written twice; leave one out"));
            } else {
                written.push(option);
            }
        }
        Self { written, known, has_unknown }
    }

    /// The option `key`, if it is written, with the way to write it.
    pub(crate) fn get(&self, key: &str) -> Option<Found<'_>> {
        let written = self.written.iter().find(|it| it.key == key)?;
        let usage = self.known.iter().find(|(it, _)| *it == key).map_or("", |(_, usage)| usage);
        Some(Found { written, usage })
    }

    /// Whether the option `key` is missing, and is not meant by one that nobody knows.
    pub(crate) fn lacks(&self, key: &str) -> bool {
        self.get(key).is_none() && !self.has_unknown
    }

    /// The option `key` as `read` reads it; what is wrong with it is reported.
    pub(crate) fn take<'a, T>(
        &'a self,
        key: &str,
        errors: &mut Errors,
        read: impl FnOnce(Found<'a>) -> Result<T>,
    ) -> Option<T> {
        self.get(key).and_then(|it| errors.take(read(it)))
    }
}

fn unknown(key: &str, whom: &str, known: &[Known]) -> String {
    let names = known.iter().map(|(it, _)| *it);
    if let Some((whole, usage)) = suggest::whole(key).filter(|(it, _)| names.clone().any(|name| name == *it)) {
        return format!("{whom} has no option `{key}`; it is a part of `{whole}`: write `{usage}`");
    }
    let translated = suggest::translated(key).filter(|it| names.clone().any(|name| name == *it));
    match translated.or_else(|| suggest::nearest(key, names.clone())) {
        Some(near) => {
            let usage = known.iter().find(|(it, _)| *it == near).map_or(near, |(_, usage)| usage);
            format!("{whom} has no option `{key}`; did you mean `{near}`? Write `{usage}`")
        }
        None => format!("{whom} has no option `{key}`; it has {}", list(names)),
    }
}

/// Words as a list for people.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}

/// An option that is written, to be read as what it should be.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    written: &'a Written,
    usage: &'static str,
}

impl<'a> Found<'a> {
    /// Where its name is.
    pub(crate) fn span(self) -> Span {
        self.written.key.span()
    }

    /// Where its value is, or its name if it has none.
    pub(crate) fn value_span(self) -> Span {
        match &self.written.value {
            Value::Nothing => self.span(),
            Value::Is(value) | Value::Typed(value, _) => value.span(),
            Value::List(paren, _) => paren.span.join(),
        }
    }

    /// An error at its value.
    pub(crate) fn wrong(self, message: impl Display) -> Error {
        match &self.written.value {
            Value::Is(value) | Value::Typed(value, _) => Error::new_spanned(value, message),
            _ => Error::new(self.value_span(), message),
        }
    }

    fn misused<T>(self, wanted: &str) -> Result<T> {
        Err(self.wrong(format!("`{}` {wanted}; write `{}`", self.written.key, self.usage)))
    }

    /// It stands there, and says no more.
    pub(crate) fn flag(self) -> Result<()> {
        match self.written.value {
            Value::Nothing => Ok(()),
            _ => self.misused("takes no value"),
        }
    }

    /// Its value, any expression.
    pub(crate) fn expr(self) -> Result<&'a Expr> {
        match &self.written.value {
            Value::Is(value) => Ok(value),
            _ => self.misused("needs a value"),
        }
    }

    /// Its value and the type after that.
    pub(crate) fn typed(self) -> Result<(&'a Expr, &'a Type)> {
        match &self.written.value {
            Value::Typed(value, ty) => Ok((value, ty)),
            _ => self.misused("needs a value and its type"),
        }
    }

    /// What stands in its parentheses.
    pub(crate) fn list(self) -> Result<TokenStream> {
        match &self.written.value {
            Value::List(_, tokens) => Ok(tokens.clone()),
            _ => self.misused("needs parentheses"),
        }
    }

    /// What stands in its parentheses; nothing if it has none.
    pub(crate) fn optional_list(self) -> Result<TokenStream> {
        match &self.written.value {
            Value::Nothing => Ok(TokenStream::new()),
            _ => self.list(),
        }
    }

    /// What it names: a path, an identifier.
    pub(crate) fn parsed<T: Parse>(self, wanted: &str) -> Result<T> {
        let tokens = self.expr()?.to_token_stream();
        syn::parse2(tokens).or_else(|_| self.misused(wanted))
    }

    /// A string literal.
    pub(crate) fn text(self) -> Result<LitStr> {
        match &self.written.value {
            Value::Is(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Ok(text.clone()),
            _ => self.misused("is a text in quotes"),
        }
    }

    /// A string literal that holds a word.
    pub(crate) fn word(self) -> Result<String> {
        let text = self.text()?.value();
        if text.trim().is_empty() { self.misused("may not be empty") } else { Ok(text) }
    }

    /// String literals.
    pub(crate) fn words(self) -> Result<Vec<String>> {
        let tokens = self.list()?;
        let Ok(words) = Punctuated::<LitStr, Token![,]>::parse_terminated.parse2(tokens) else {
            return self.misused("lists texts in quotes");
        };
        match words.iter().find(|it| it.value().trim().is_empty()) {
            Some(empty) => Err(Error::new(empty.span(), "an empty text; leave it out")),
            None => Ok(words.iter().map(LitStr::value).collect()),
        }
    }

    /// `true` or `false`.
    pub(crate) fn boolean(self) -> Result<bool> {
        match &self.written.value {
            Value::Is(Expr::Lit(ExprLit { lit: Lit::Bool(it), .. })) => Ok(it.value),
            _ => self.misused("is `true` or `false`"),
        }
    }

    /// A whole number.
    pub(crate) fn integer(self) -> Result<i64> {
        self.number(false, "is a whole number")
    }

    /// A number.
    pub(crate) fn float(self) -> Result<f64> {
        self.number(true, "is a number")
    }

    /// A whole number from `least` up; `rule` says why.
    pub(crate) fn whole(self, least: u32, rule: &str) -> Result<u32> {
        match u32::try_from(self.integer()?) {
            Ok(number) if number >= least => Ok(number),
            _ => Err(self.wrong(format!("{rule}; write a number from {least} to {}", u32::MAX))),
        }
    }

    /// By what the delays between attempts grow.
    pub(crate) fn growth(self) -> Result<f64> {
        let factor = self.float()?;
        if factor.is_finite() && factor >= 1.0 {
            Ok(factor)
        } else {
            Err(self.wrong("delays grow by `backoff`; write 1.0 for equal delays, or more, such as `backoff = 2.0`"))
        }
    }

    fn number<T: FromStr>(self, fraction: bool, wanted: &str) -> Result<T> {
        let Value::Is(value) = &self.written.value else { return self.misused(wanted) };
        let (sign, value) = match value {
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => ("-", &**expr),
            _ => ("", value),
        };
        let digits = match value {
            Expr::Lit(ExprLit { lit: Lit::Int(it), .. }) if it.suffix().is_empty() => it.base10_digits(),
            Expr::Lit(ExprLit { lit: Lit::Float(it), .. }) if fraction && it.suffix().is_empty() => it.base10_digits(),
            Expr::Lit(ExprLit { lit: Lit::Str(it), .. }) if it.value().parse::<T>().is_ok() => {
                let (key, number) = (&self.written.key, it.value());
                return Err(self.wrong(format!("`{key}` {wanted}, without quotes; write `{key} = {number}`")));
            }
            _ => return self.misused(wanted),
        };
        format!("{sign}{digits}").parse().or_else(|_| self.misused(wanted))
    }

    /// A duration, zero allowed.
    pub(crate) fn duration(self) -> Result<Duration> {
        match &self.written.value {
            Value::Is(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => {
                duration::parse(&text.value()).map_err(|it| Error::new(text.span(), it))
            }
            Value::Is(Expr::Lit(ExprLit { lit: Lit::Int(it), .. })) if it.suffix().is_empty() => {
                let (key, number) = (&self.written.key, it.base10_digits());
                Err(self.wrong(format!(
                    "`{key}` is a duration: {}; write `{key} = \"{number}s\"` if these are seconds",
                    duration::FORMAT
                )))
            }
            _ => self.misused(&format!("is a duration: {}", duration::FORMAT)),
        }
    }

    /// A duration that is not zero.
    pub(crate) fn positive_duration(self) -> Result<Duration> {
        let duration = self.duration()?;
        if duration.is_zero() { self.misused("may not be zero") } else { Ok(duration) }
    }
}
