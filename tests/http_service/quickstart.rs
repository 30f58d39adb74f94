//! `quickstart --serve`: what it says can be tried, can be tried.

use ddd_core::TaskStatus;
use serde_json::json;

use crate::{
    life,
    support::{
        client::{Client, PREFIX},
        process::Service,
    },
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quickstart_serves_its_tasks_and_says_how_to_ask() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../CHANGELOG.md");
    let mut service = Service::start_example("quickstart", &["--serve", "--port", "0", file]);
    let client = Client::new(&service.url);
    let base = format!("{}{PREFIX}", service.url);
    let mut asked = 0;
    for line in service.said.iter().filter_map(|it| it.trim_start().strip_prefix("curl ")) {
        let words: Vec<_> = line.split([' ', '\'']).filter(|it| !it.is_empty()).collect();
        let path = words.iter().find_map(|it| it.strip_prefix(&base)).unwrap();
        asked += 1;
        if let Some((_, body)) = line.split_once(" -d ") {
            let body = serde_json::from_str(body.trim_matches('\'')).unwrap();
            let id = client.post(path, body).await.ok(202)["task_id"].as_str().unwrap().to_owned();
            life::until(&client, &id, TaskStatus::Success).await;
        } else if line.starts_with("-N") {
            client.events(path).await.next().await.unwrap();
        } else {
            client.get(path).await.ok(200);
        }
    }
    assert_eq!(asked, 6, "{:#?}", service.said);
    let statistics = client.get("/tasks/statistics").await.ok(200);
    assert_eq!(
        statistics["completed_tasks"],
        json!(3),
        "two of the report, and one that was asked for: {statistics:#}"
    );
    service.signal("INT");
    assert_eq!(service.wait().0.code(), Some(0));
}
