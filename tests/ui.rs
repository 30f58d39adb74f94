//! What the attributes refuse, and in which words; and that what those words suggest compiles.
//!
//! The cases in the folders `fail` are named after the rule that they break; the folder `pass` beside it holds the corrected
//! case of the same name. After a change of a message: `TRYBUILD=overwrite cargo test -p ddd-tests --test ui`.

#[test]
fn task() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/task/fail/*.rs");
    cases.pass("ui/task/pass/*.rs");
}

#[test]
fn policies() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/policies/fail/*.rs");
    cases.pass("ui/policies/pass/*.rs");
}
