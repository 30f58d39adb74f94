//! The expansion stands anywhere: among names that shadow the prelude, in functions and modules, under strict lints.

/// Every name of the prelude that an expansion could lean on means something else here.
#[deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic
)]
#[allow(dead_code, non_camel_case_types, clippy::unused_async, clippy::needless_pass_by_value, reason = "the cases")]
mod shadowed {
    type Result = u8;
    type Option = u8;
    type Box = u8;
    type String = u8;
    type Send = u8;
    type Sync = u8;
    type Clone = u8;
    type Debug = u8;
    type Serialize = u8;
    type Default = u8;
    mod core {}
    mod std {}
    mod serde {}
    mod schemars {}
    mod ddd_core {}
    #[allow(unused_macros, reason = "there to be in the way")]
    macro_rules! concat {
        () => {};
    }

    /// A task.
    #[::ddd_core::task(
        timeout = "1s",
        retry(max_attempts = 2, delay = "1s"),
        unique(by = a),
        concurrency(limit = 1, key = a),
        tags("x")
    )]
    pub(crate) async fn shadowing(
        /// A number.
        a: Result,
        /// Another.
        #[inject]
        b: Option,
        /// And another.
        #[inject]
        c: &Box,
    ) -> ::core::result::Result<Send, ::std::string::String> {
        Ok(a + b + c)
    }

    /// Blocking.
    #[::ddd_core::task(retry(max_attempts = 2))]
    pub(crate) fn blocking(
        /** A number. */
        a: Result,
        /** Hidden. */
        #[secret]
        b: String,
    ) {
        let _ = (a, b);
    }

    #[::ddd_core::task]
    async fn private(a: Result) {
        let _ = a;
    }

    /// Remote.
    #[::ddd_core::task(remote)]
    pub(super) async fn remote(
        /// A number.
        a: Result,
    ) -> ::core::result::Result<u8, ::std::string::String>;

    const __PARAMS: u8 = 1;

    /// Raw names.
    #[::ddd_core::task]
    pub(crate) async fn r#match(
        /** A number. */
        r#type: Result,
    ) {
        let _ = r#type;
    }
}

/// A path to the runtime under another name.
mod facade {
    pub(crate) use ddd_core as tasks;
}

#[ddd_core::task(crate = facade::tasks, unique)]
async fn renamed(a: u8, #[inject] b: String) -> Result<u8, String> {
    drop(b);
    Ok(a)
}

#[deprecated = "use `renamed`"]
#[ddd_core::task]
async fn old() {}

#[cfg(any())]
#[ddd_core::task]
async fn absent_above() {}

#[ddd_core::task]
#[cfg(any())]
async fn absent_below(a: NoSuchType) {}

#[tokio::test]
async fn inside_of_a_function() {
    use ddd_core::Task;

    use crate::support::{Provided, run, text};

    #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    struct Local(u8);

    #[ddd_core::task("hygiene:local")]
    async fn local(a: Local) -> Result<u8, String> {
        Ok(a.0)
    }

    assert_eq!(text(run::<local>(r#"{"a":3}"#, Provided::default()).await), "3");
    assert_eq!(local::definition().name, "hygiene:local");
    assert_eq!(text(run::<renamed>(r#"{"a":3}"#, Provided::default().with(String::new())).await), "3");
    assert_eq!(
        text(run::<shadowed::shadowing>(r#"{"a":3}"#, Provided::default().with(4_u8)).await),
        "11",
        "by value and by reference of the same type"
    );
    assert_eq!(shadowed::r#match::definition().name, "match");
    let _ = (shadowed::blocking { a: 1, b: 2 }, shadowed::remote { a: 1 });
}

#[test]
fn what_is_not_compiled_is_not_registered() {
    let linked = ddd_core::__private::linked();
    assert!(linked.iter().any(|it| it.name == "old"));
    assert!(!linked.iter().any(|it| it.name.starts_with("absent")));
}
