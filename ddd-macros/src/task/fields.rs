//! The attributes of parameters, which become those of the struct's fields.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Error, FnArg, LitStr, Meta, Pat, Result, Token, ext::IdentExt, meta::ParseNestedMeta, parse::ParseStream,
};

use crate::{
    errors::Errors,
    options::list,
    signature::{Function, ParamAttr},
    suggest,
};

/// The attributes that a parameter may have.
const KNOWN: [&str; 6] = ["inject", "secret", "serde", "schemars", "garde", "doc"];

/// What the attributes of one parameter say.
#[derive(Default)]
pub(super) struct Attrs<'a> {
    /// Those that move to the field.
    pub(super) moved: Vec<&'a Attribute>,
    pub(super) inject: Option<&'a Attribute>,
    pub(super) secret: Option<&'a Attribute>,
    /// Whether a `#[garde]` stands there.
    pub(super) garde: bool,
    /// Whether a `#[serde]` stands there.
    pub(super) serde: bool,
    /// The name in JSON, if it is not the parameter's.
    pub(super) rename: Option<LitStr>,
    /// Further names in JSON.
    pub(super) aliases: Vec<LitStr>,
    /// Whether it may be absent.
    pub(super) default: bool,
}

impl<'a> Attrs<'a> {
    /// Sorts the attributes of a parameter; what is wrong with them is reported.
    pub(super) fn read(attrs: &'a [Attribute], errors: &mut Errors) -> Self {
        let mut this = Self::default();
        for attr in attrs {
            match ParamAttr::of(attr) {
                ParamAttr::Lint => {}
                ParamAttr::Foreign => errors.on(attr, foreign(attr)),
                ParamAttr::Ours if attr.path().is_ident("inject") => this.inject = errors.take(bare(attr)),
                ParamAttr::Ours if attr.path().is_ident("secret") => this.secret = errors.take(bare(attr)),
                ParamAttr::Ours => {
                    this.garde |= attr.path().is_ident("garde");
                    if attr.path().is_ident("serde") {
                        this.serde = true;
                        this.read_serde(attr, errors);
                    }
                    this.moved.push(attr);
                }
            }
        }
        this
    }

    /// Looks for what concerns the name and the presence of the field; all else is serde's own matter.
    fn read_serde(&mut self, attr: &Attribute, errors: &mut Errors) {
        let result = attr.parse_nested_meta(|meta| {
            let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            match key.as_str() {
                "default" => self.default = true,
                "rename" if meta.input.peek(Token![=]) => {
                    self.rename = Some(meta.value()?.parse()?);
                    return Ok(());
                }
                "rename" => errors.add(meta.error(
                    "parameters are stored and read under one name; write `#[serde(rename = \"…\")]`",
                )),
                "alias" => {
                    self.aliases.push(meta.value()?.parse()?);
                    return Ok(());
                }
                "flatten" => errors.add(meta.error(
                    "a flattened parameter would take every unknown key, and unknown keys are refused; take it as it is, without `flatten`",
                )),
                "skip" | "skip_serializing" | "skip_deserializing" => errors.add(meta.error(format!(
                    "a parameter with `{key}` would be lost before the task runs; leave `{key}` out, or mark the parameter `#[inject]` if the application provides it",
                ))),
                _ => {}
            }
            skip_value(&meta)
        });
        errors.take(result);
    }
}

/// Passes over what follows the name of an option: ` = …`, `(…)`, or nothing.
fn skip_value(meta: &ParseNestedMeta<'_>) -> Result<()> {
    let rest = |input: ParseStream<'_>| -> Result<()> {
        while !input.is_empty() && !input.peek(Token![,]) {
            input.parse::<proc_macro2::TokenTree>()?;
        }
        Ok(())
    };
    rest(meta.input)
}

fn bare(attr: &Attribute) -> Result<&Attribute> {
    match &attr.meta {
        Meta::Path(_) => Ok(attr),
        _ => {
            let name = attr.path().get_ident().map(ToString::to_string).unwrap_or_default();
            Err(Error::new_spanned(&attr.meta, format!("`#[{name}]` takes no value; write `#[{name}]`")))
        }
    }
}

fn foreign(attr: &Attribute) -> String {
    let name = attr.path().segments.iter().map(|it| it.ident.to_string()).collect::<Vec<_>>().join("::");
    if name == "cfg" || name == "cfg_attr" {
        return format!(
            "`#[{name}]` cannot stand on a parameter of a task, whose parameters are stored; write it above the function"
        );
    }
    match suggest::nearest(&name, KNOWN) {
        Some(near) => format!("`#[{name}]` cannot stand on a parameter of a task; did you mean `#[{near}]`?"),
        None => format!("`#[{name}]` cannot stand on a parameter of a task; {} can", list(KNOWN)),
    }
}

/// The struct of a bodiless declaration that cannot be expanded: its fields, and nothing that could fail.
pub(super) fn bare_struct(function: &Function) -> TokenStream {
    let (vis, ident) = (&function.vis, &function.sig.ident);
    let generics = &function.sig.generics;
    let fields = function.sig.inputs.iter().filter_map(|arg| match arg {
        FnArg::Typed(param) if !param.attrs.iter().any(|it| it.path().is_ident("inject")) => match &*param.pat {
            Pat::Ident(it) => Some((it.ident.clone(), &param.ty)),
            _ => None,
        },
        _ => None,
    });
    let fields = fields.map(|(name, ty)| quote!(#vis #name: #ty,));
    quote! {
        #[allow(non_camel_case_types, missing_docs, dead_code)]
        #vis struct #ident #generics { #(#fields)* }
    }
}

/// A parameter's name in JSON, if no attribute gives it another.
pub(super) fn json_name(ident: &syn::Ident) -> String {
    ident.unraw().to_string()
}
