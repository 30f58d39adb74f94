//! The tables of `docs/http.md` say what the library says.

use std::fs;

use ddd_web::{Api, Permission, Problem};

/// The rows of the table below a heading, by their first three cells.
fn table(heading: &str) -> Vec<String> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/http.md")).unwrap();
    let mut lines = page.lines().skip_while(|it| *it != heading).skip(1);
    let rows = lines.by_ref().skip_while(|it| !it.starts_with('|')).take_while(|it| it.starts_with('|'));
    let cells = |row: &str| row.split('|').skip(1).take(3).map(|it| it.trim().replace('`', "")).collect::<Vec<_>>();
    rows.skip(2).map(|it| cells(it).join(" | ")).collect()
}

/// The same rows in the same order.
fn assert_same(documented: &[String], of_the_library: &[String]) {
    let missing: Vec<_> = of_the_library.iter().filter(|it| !documented.contains(it)).collect();
    let wrong: Vec<_> = documented.iter().filter(|it| !of_the_library.contains(it)).collect();
    assert!(missing.is_empty() && wrong.is_empty(), "missing in the page: {missing:#?}\nwrong in the page: {wrong:#?}");
    assert_eq!(documented, of_the_library, "in another order");
}

#[test]
fn the_documented_routes_are_those_of_the_library() {
    let row = |it: &ddd_web::Route| {
        let permission = it.permission.map_or("everybody", Permission::as_str);
        format!("{} | {} | {permission}", it.method, it.path)
    };
    let routes: Vec<_> = Api::route_table().iter().map(row).collect();
    assert_same(&table("## Routes"), &routes);
}

#[test]
fn the_documented_codes_are_those_of_the_library() {
    let row = |it: &&ddd_web::ProblemCode| format!("{} | {} | {}", it.status.as_u16(), it.code, it.title);
    let codes: Vec<_> = Problem::codes().iter().map(row).collect();
    assert_same(&table("### Codes"), &codes);
}
