//! How the options of one attribute become settings.

use proc_macro2::Span;
use syn::Result;

use crate::{
    errors::Errors,
    name,
    options::{Found, Options, list},
    policies::policy::{Setting, Value},
    suggest,
};

/// The constructor of settings that need nothing.
pub(super) const NEW: Setting = Setting { name: "new", value: Value::Nothing };

/// The settings of one attribute while they are read.
pub(super) struct Settings<'a> {
    pub(super) options: &'a Options,
    pub(super) said: Vec<Setting>,
    pub(super) errors: &'a mut Errors,
}

impl<'a> Settings<'a> {
    /// Takes over the option `name` as `read` reads it, if it is written and right.
    pub(super) fn take<T: Copy>(
        &mut self,
        name: &'static str,
        value: impl FnOnce(T) -> Value,
        read: impl FnOnce(Found<'a>) -> Result<T>,
    ) -> Option<T> {
        let read = self.options.take(name, self.errors, read)?;
        self.said.push(Setting { name, value: value(read) });
        Some(read)
    }

    /// The same for one that does not become a setting of the runtime's.
    pub(super) fn read<T>(&mut self, name: &str, read: impl FnOnce(Found<'a>) -> Result<T>) -> Option<T> {
        self.options.take(name, self.errors, read)
    }

    /// Where the option `name` is, if it is written.
    pub(super) fn written(&self, name: &str) -> Option<Span> {
        self.options.get(name).map(Found::span)
    }

    /// `scope = "local"`, which is how it is anyway, or `"shared"`: then it answers where that stands.
    pub(super) fn scope(&mut self) -> Option<Span> {
        let words = &[("local", false), ("shared", true)];
        self.read("scope", |it| choose(it, "scope", words)).filter(|is_shared| *is_shared)?;
        self.said.push(Setting { name: "shared", value: Value::Nothing });
        self.written("scope")
    }

    /// One of a few words, each a variant of the runtime's enum `of`.
    pub(super) fn choice(
        &mut self,
        name: &'static str,
        of: &'static str,
        words: &'static [(&'static str, &'static str)],
    ) -> Option<&'static str> {
        self.take(name, |variant| Value::Variant(of, variant), |it| choose(it, name, words))
    }
}

fn choose<T: Copy>(it: Found<'_>, name: &str, words: &[(&'static str, T)]) -> Result<T> {
    let text = it.text()?.value();
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*meaning);
    }
    let names = words.iter().map(|(word, _)| *word);
    let near = suggest::nearest(&text, names.clone()).or_else(|| names.clone().next()).unwrap_or_default();
    Err(it.wrong(format!("`{text}` is none of {}; write for example `{name} = \"{near}\"`", list(names))))
}

pub(super) fn policy_name(it: Found<'_>) -> Result<String> {
    let text = it.text()?.value();
    match name::check(&text) {
        Ok(()) => Ok(text),
        Err(reason) => Err(it.wrong(format!("{reason}; write for example `name = \"user_profile\"`"))),
    }
}

/// A number from 1 up.
pub(super) fn at_least_one(it: Found<'_>, rule: &str) -> Result<u64> {
    whole(it, 1, rule)
}

pub(super) fn whole(it: Found<'_>, least: u32, rule: &str) -> Result<u64> {
    it.whole(least, rule).map(u64::from)
}

/// A part of all calls, over 0 and at most 1.
pub(super) fn share(it: Found<'_>, name: &str) -> Result<f64> {
    let share = it.float()?;
    if share > 0.0 && share <= 1.0 {
        Ok(share)
    } else {
        Err(it
            .wrong(format!("`{name}` is a part of all calls, over 0 and at most 1; write for example `{name} = 0.5`")))
    }
}
