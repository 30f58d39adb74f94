//! What `#[task]` refuses, and in which words; and that what those words suggest compiles.
//!
//! The cases in `ui/task/fail` are named after the rule that they break; `ui/task/pass` holds the corrected case of the
//! same name. After a change of a message: `TRYBUILD=overwrite cargo test -p ddd-tests --test ui`.

#[test]
fn task() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/task/fail/*.rs");
    cases.pass("ui/task/pass/*.rs");
}
