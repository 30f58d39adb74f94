//! Functions with policies, expanded.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use super::check_expanded;
use crate::policies::{Kind, attribute};

#[expect(clippy::needless_pass_by_value, reason = "the macro yields a value")]
#[track_caller]
fn check(kind: Kind, args: TokenStream, item: TokenStream, expected: ExpectFile) {
    check_expanded(attribute(kind, args, &item), &expected);
}

#[test]
fn one_policy() {
    check(
        Kind::Cached,
        quote!("1h"),
        quote! {
            /// The length.
            pub async fn length(text: &str, times: usize) -> usize {
                text.len() * times
            }
        },
        expect_file!["../../snapshots/policies/one.rs"],
    );
}

#[test]
fn all_policies_on_a_method() {
    check(
        Kind::Cached,
        quote!(
            "10m",
            key = (self.tenant, id),
            name = "user_profile",
            handle = Self::PROFILE: (TenantId, u64),
            tags = [self.tenant],
            store_if = |it| is_good(it)
        ),
        quote! {
            /// The profile.
            #[rate_limited(30, per = "1s", and(500, per = "1h"), key = self.tenant, wait = "5s")]
            #[ddd_core::circuit_breaker(window = "60s", when = |error| error.is_transient())]
            #[retry(external_api, delay = "200ms")]
            #[instrument]
            #[bulkhead(10)]
            #[timeout("2s")]
            pub(crate) async fn profile(&self, id: u64, mut options: Options) -> Result<Profile, ApiError> {
                options.fast = true;
                self.http.get(id, options).await
            }
        },
        expect_file!["../../snapshots/policies/all.rs"],
    );
}

#[test]
fn synchronous() {
    check(
        Kind::Cached,
        quote!(),
        quote! {
            #[rate_limited(30)]
            fn parse(text: String) -> Result<Tree, ParseError> {
                Tree::parse(&text)
            }
        },
        expect_file!["../../snapshots/policies/synchronous.rs"],
    );
}

#[test]
fn retried_with_what_cannot_be_given_twice() {
    check(
        Kind::Retry,
        quote!(3),
        quote! {
            #[timeout("1s")]
            async fn count(&mut self, (by, mut unit): (u32, Unit), log: &mut Log) -> Result<impl Display, Refused> {
                unit.add(by);
                log.write(self.add(unit))
            }
        },
        expect_file!["../../snapshots/policies/exclusive.rs"],
    );
}

#[test]
fn as_async_trait_writes_it() {
    check(
        Kind::Timeout,
        quote!("1s"),
        quote! {
            fn load<'life0, 'async_trait>(
                &'life0 self,
                id: u64,
            ) -> ::core::pin::Pin<
                Box<dyn ::core::future::Future<Output = Result<u64, Refused>> + ::core::marker::Send + 'async_trait>,
            >
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                Box::pin(async move {
                    let __self = self;
                    let id = id;
                    __self.find(id).await
                })
            }
        },
        expect_file!["../../snapshots/policies/async_trait.rs"],
    );
}

#[test]
fn an_item_with_errors_stays_as_it_was() {
    check(
        Kind::Retry,
        quote!(0),
        quote! {
            /// Loads.
            #[timeout(5)]
            #[instrument]
            pub async fn load(&self, #[allow(unused)] mut id: u64) -> Result<u64, Refused> {
                self.find(id).await
            }
        },
        expect_file!["../../snapshots/policies/error.rs"],
    );
}

#[test]
fn another_path_leaves_no_other_name_of_the_library() {
    let args = quote!("1s", handle = TIMES: (), crate = facade::inner);
    let item = quote! {
        #[bulkhead(1)]
        async fn load() -> Result<u64, Refused> {
            Ok(1)
        }
    };
    let expanded = attribute(Kind::Cached, args, &item);
    assert!(!mentions(expanded.clone(), "ddd_core"), "{expanded}");
    assert!(mentions(expanded, "facade"));
}

fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|it| match it {
        TokenTree::Group(it) => mentions(it.stream(), name),
        TokenTree::Ident(it) => it == name,
        _ => false,
    })
}
