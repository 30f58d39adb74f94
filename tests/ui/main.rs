//! What the attributes refuse, and in which words; and that what those words suggest compiles.
//!
//! The cases in the folders `fail` are named after the rule that they break; the folder `pass` beside it holds the corrected
//! case of the same name. After a change of a message: `TRYBUILD=overwrite cargo test -p ddd-ui-tests`.
//!
//! The two are tests of their own because what is refused is only checked, and the rest is linked and run.

#[test]
fn refused() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("task/fail/*.rs");
    cases.compile_fail("policies/fail/*.rs");
}

#[test]
fn accepted() {
    let cases = trybuild::TestCases::new();
    cases.pass("task/pass/*.rs");
    cases.pass("policies/pass/*.rs");
}
