//! The route table: every route that the library says it has answers, and no other one does.

use std::collections::BTreeSet;

use crate::{
    life,
    support::{
        client::Client,
        process::{Service, run},
    },
    tour,
};

/// Method and path of every route, as the library prints them.
fn printed() -> BTreeSet<(String, String)> {
    let output = run(&["--routes"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next().unwrap(), words.next().unwrap())
    };
    text.lines().map(row).collect()
}

/// The route that a call was for: the one that says most of its path in so many words.
fn route<'a>(
    routes: &'a BTreeSet<(String, String)>,
    (method, path): &(String, String),
) -> Option<&'a (String, String)> {
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |it: &&(String, String)| {
        let pattern: Vec<&str> = it.1.split('/').collect();
        it.0 == *method
            && pattern.len() == parts.len()
            && pattern.iter().zip(&parts).all(|(pattern, part)| pattern.starts_with('{') || pattern == part)
    };
    routes.iter().filter(fits).min_by_key(|it| it.1.matches('{').count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_and_every_status_is_reached() {
    let service = Service::start(&[]);
    let client = Client::new(&service.url);
    life::every_status(&client).await;
    tour::submitting(&client).await;
    tour::watching(&client).await;
    tour::looking(&client).await;
    tour::changing(&client).await;
    tour::operating(&client).await;
    tour::health(&client).await;

    let printed = printed();
    let visited = client.visited();
    let unknown: Vec<_> = visited.iter().filter(|it| route(&printed, it).is_none()).collect();
    assert!(unknown.is_empty(), "answered, and not in the route table: {unknown:#?}");
    let visited: BTreeSet<_> = visited.iter().filter_map(|it| route(&printed, it).cloned()).collect();
    let missed: Vec<_> = printed.difference(&visited).collect();
    assert!(missed.is_empty(), "in the route table, and never answered well: {missed:#?}");
}

#[test]
fn a_call_belongs_to_the_most_literal_route() {
    let routes = [("GET", "/tasks/{task_id}"), ("GET", "/tasks/statistics"), ("POST", "/tasks/{task_id}/retry")];
    let routes: BTreeSet<_> = routes.into_iter().map(|(method, path)| (method.to_owned(), path.to_owned())).collect();
    let of = |method: &str, path: &str| route(&routes, &(method.to_owned(), path.to_owned())).map(|it| it.1.as_str());
    assert_eq!(of("GET", "/tasks/statistics"), Some("/tasks/statistics"));
    assert_eq!(of("GET", "/tasks/statistics/"), Some("/tasks/statistics"));
    assert_eq!(of("GET", "/tasks/7"), Some("/tasks/{task_id}"));
    assert_eq!(of("POST", "/tasks/7/retry"), Some("/tasks/{task_id}/retry"));
    assert_eq!((of("POST", "/tasks/7"), of("GET", "/tasks")), (None, None));
}
