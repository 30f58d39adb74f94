//! The tables of `docs/http.md` say what the library says.

use std::fs;

use ddd_web::{Api, Permission, Problem};

/// The rows of the table below a heading, each with its cells.
fn table(heading: &str) -> Vec<Vec<String>> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/http.md")).unwrap();
    let mut lines = page.lines().skip_while(|it| *it != heading).skip(1);
    let rows = lines.by_ref().skip_while(|it| !it.starts_with('|')).take_while(|it| it.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|it| it.trim().replace('`', "")).collect();
    rows.skip(2).map(cells).collect()
}

#[test]
fn the_documented_routes_are_those_of_the_library() {
    let documented: Vec<_> = table("## Routes").into_iter().map(|it| it[..3].to_vec()).collect();
    let routes = Api::route_table().iter().map(|it| {
        let permission = it.permission.map_or("everybody", Permission::as_str);
        vec![it.method.to_string(), it.path.to_owned(), permission.to_owned()]
    });
    assert_eq!(documented, routes.collect::<Vec<_>>());
}

#[test]
fn the_documented_codes_are_those_of_the_library() {
    let documented: Vec<_> = table("### Codes").into_iter().map(|it| it[..3].to_vec()).collect();
    let codes = Problem::codes().iter();
    let codes = codes.map(|it| vec![it.status.as_u16().to_string(), it.code.to_owned(), it.title.to_owned()]);
    assert_eq!(documented, codes.collect::<Vec<_>>());
}
