//! Expansions as they are, to be read and compared: `ddd-macros/snapshots`. After a change of the expansion:
//! `UPDATE_EXPECT=1 cargo test -p ddd-macros`.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use expect_test::{ExpectFile, expect_file};
use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::task::attribute;

mod policies;

#[expect(clippy::needless_pass_by_value, reason = "the macro yields a value")]
#[track_caller]
fn check(args: TokenStream, item: TokenStream, expected: ExpectFile) {
    check_expanded(attribute(args, &item), &expected);
}

#[track_caller]
fn check_expanded(expanded: TokenStream, expected: &ExpectFile) {
    let foreign = foreign_paths(expanded.clone());
    assert!(foreign.is_empty(), "paths that generated code may not name: {foreign:?}");
    expected.assert_eq(&prettyplease::unparse(&syn::parse2(expanded).unwrap()));
}

/// The absolute paths in `tokens` that are neither the runtime's private part nor `core`, nor garde for its own sake.
fn foreign_paths(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            found.extend(foreign_paths(group.stream()));
        }
        let punct = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(it)) if it.as_char() == ':');
        let ident = |at: usize| match tokens.get(at) {
            Some(TokenTree::Ident(it)) => it.to_string(),
            _ => String::new(),
        };
        let follows_path =
            index > 0 && (matches!(&tokens[index - 1], TokenTree::Ident(_)) || is_close(&tokens[index - 1]));
        if punct(index) && punct(index + 1) && !ident(index + 2).is_empty() && !follows_path {
            let (first, second) = (ident(index + 2), ident(index + 5));
            let allowed = match first.as_str() {
                "core" | "garde" => true,
                "ddd_core" => second == "__private",
                _ => false,
            };
            if !allowed {
                found.push(format!("::{first}::{second}"));
            }
        }
    }
    found
}

/// Whether a path may go on after this token: `<T as Trait>::Output`.
fn is_close(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(it) if it.as_char() == '>')
}

#[test]
fn foreign_paths_are_found() {
    assert_eq!(foreign_paths(quote!(let x: ::std::string::String = { ::core::mem::take(y) };)), ["::std::string"]);
    assert_eq!(foreign_paths(quote!(::ddd_core::Task::definition())), ["::ddd_core::Task"]);
    assert!(foreign_paths(quote!(<A as ::ddd_core::__private::Task>::Output + a::b::<C>::d)).is_empty());
}

#[test]
fn bare() {
    check(
        quote!(),
        quote! {
            /// Counts words.
            #[task]
            pub async fn count_words(
                /// The text.
                text: String,
            ) -> Result<usize, io::Error> {
                Ok(text.split_whitespace().count())
            }
        },
        expect_file!["../../snapshots/bare.rs"],
    );
}

#[test]
fn everything() {
    check(
        quote!(
            "render_invoice",
            queue = "documents",
            priority = -5,
            timeout = "5m",
            retry(max_attempts = 5, delay = "1s", backoff = 2.0, max_delay = "1h", jitter = true),
            unique(by = (invoice, tenant), for = "1h"),
            concurrency(limit = 2, key = tenant),
            result_ttl = "250ms",
            schedule(cron = "0 3 * * *", tz = "Europe/Berlin"),
            version = 2,
            category = "billing",
            tags("a", "b"),
            internal,
            command = RenderInvoice
        ),
        quote! {
            #[doc = " Renders an invoice."]
            #[doc = include_str!("more.md")]
            #[cfg(feature = "invoices")]
            pub(crate) async fn render_invoice(
                #[serde(default)]
                #[garde(length(min = 1))]
                invoice: String,
                #[serde(default, rename = "customer")]
                #[secret]
                mut tenant: String,
                #[inject] storage: Storage,
                #[inject] templates: &Templates,
                #[inject] context: TaskContext,
            ) -> Result<Rendered, RenderError> {
                storage.render(invoice, templates).await
            }
        },
        expect_file!["../../snapshots/everything.rs"],
    );
}

#[test]
fn blocking() {
    check(
        quote!(unique),
        quote! {
            fn hash(path: PathBuf, #[inject] pool: &Pool) {
                pool.hash(path);
            }
        },
        expect_file!["../../snapshots/blocking.rs"],
    );
}

#[test]
fn remote() {
    check(
        quote!(remote),
        quote! {
            pub async fn render(invoice: Invoice) -> Result<Rendered, RenderError>;
        },
        expect_file!["../../snapshots/remote.rs"],
    );
}

#[test]
fn an_item_with_errors_stays_as_it_was() {
    check(
        quote!(queue = ""),
        quote! {
            /// Sends an e-mail.
            #[instrument]
            async fn send_email(
                /// To whom.
                #[serde(default)]
                to: &str,
                #[allow(unused)]
                #[inject]
                mailer: Mailer,
            ) {
                mailer.send(to)
            }
        },
        expect_file!["../../snapshots/error.rs"],
    );
}

#[test]
fn a_bodiless_item_with_errors_stays_as_its_struct() {
    check(
        quote!(remote, timeout = "0s"),
        quote! {
            pub async fn render(
                /// What.
                invoice: Invoice,
            ) -> Result<Rendered, RenderError>;
        },
        expect_file!["../../snapshots/error_remote.rs"],
    );
}
