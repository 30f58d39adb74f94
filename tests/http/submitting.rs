//! Tasks come in.

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use ddd_core::testing;
use ddd_web::{Access, Api, ApiKey, Permission};
use serde_json::{Value, json};

use crate::support::{As, BASE, Reply, app, mounted, open, request, send};

const ORIGINAL: &str =
    r#"{"task_name":"my_custom_task","task_type":"async","params":{"input":"data"},"priority":1,"timeout":300}"#;

#[tokio::test(start_paused = true)]
async fn the_originals_request_works_word_for_word() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let reply = api.post("/tasks/submit", ORIGINAL).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text);
    let taken = reply.json();
    let id = taken["task_id"].as_str().unwrap();
    assert_eq!(reply.header("location"), format!("{BASE}/tasks/{id}"));
    let links = json!({
        "self": format!("{BASE}/tasks/{id}"), "status": format!("{BASE}/tasks/{id}/status"),
        "result": format!("{BASE}/tasks/{id}/result"), "stream": format!("{BASE}/tasks/{id}/stream"),
    });
    let expected = json!({
        "task_id": id, "task_name": "my_custom_task", "status": "pending", "queue_position": 1, "duplicate": false,
        "links": links,
    });
    assert_eq!(taken, expected);
    testing::drain(&app).await;
    let record = api.get(&format!("/tasks/{id}")).await.ok();
    let seen = ["status", "result", "params", "priority", "timeout", "attempt", "links"].map(|it| record[it].clone());
    let wanted = [json!("success"), json!("DATA"), json!({"input": "data"}), json!(1), json!(300), json!(1), links];
    assert_eq!(seen, wanted, "{record}");
    assert!(record["request_id"].is_string());
    let status = api.get(&format!("/tasks/{id}/status/")).await.ok();
    assert_eq!(status["status"], "success");
    assert!(status.get("params").is_none() && status.get("result").is_none());
}

#[tokio::test(start_paused = true)]
async fn the_place_in_the_queue_is_that_of_the_order() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let submit = async |priority: i64| {
        let body = json!({ "task_name": "my_custom_task", "params": { "input": "x" }, "priority": priority });
        api.post("/tasks/submit", body).await.ok()["queue_position"].as_u64().unwrap()
    };
    assert_eq!([submit(0).await, submit(0).await, submit(5).await, submit(-1).await], [1, 2, 1, 4]);
    for _ in 0..1_010 {
        submit(10).await;
    }
    assert_eq!(submit(0).await, 1_000, "it is told up to 1,000");
}

#[tokio::test(start_paused = true)]
async fn every_option_takes_effect() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let body = json!({
        "task_name": "orders.place", "params": { "lines": [], "payment": "cash" }, "priority": -3, "timeout": "5m",
        "max_retries": 4, "task_type": "async", "queue": "default", "delay": 1.5, "unique_key": "k",
        "tags": ["urgent"], "request_id": "from-the-body", "client_info": { "app": "shop" },
    });
    let id = api.post("/tasks/submit", &body).await.ok()["task_id"].as_str().unwrap().to_owned();
    let record = api.get(&format!("/tasks/{id}")).await.ok();
    let names = ["priority", "timeout", "max_attempts", "queue", "status", "unique_key", "tags", "request_id"];
    let seen = names.map(|it| record[it].clone());
    let wanted = [
        json!(-3),
        json!(300),
        json!(5),
        json!("default"),
        json!("delayed"),
        json!("orders.place:k"),
        json!(["shop", "money", "urgent"]),
        json!("from-the-body"),
    ];
    assert_eq!(seen, wanted, "{record}");
    assert_eq!(record["due"], "2026-01-01T00:00:01.5Z");
    let again = api.post("/tasks/submit", &body).await.ok();
    assert_eq!((again["duplicate"].clone(), again["task_id"].clone()), (json!(true), json!(id)));

    let at = json!({ "task_name": "nothing", "run_at": "2026-01-02T00:00:00+01:00", "priority": null, "params": null });
    let taken = api.post("/tasks/submit", at).await.ok();
    assert_eq!((taken["status"].clone(), taken["queue_position"].clone()), (json!("delayed"), Value::Null));
    let record = api.get(&format!("/tasks/{}", taken["task_id"].as_str().unwrap())).await.ok();
    assert_eq!((record["due"].clone(), record["params"].clone()), (json!("2026-01-01T23:00:00Z"), json!({})));
}

#[tokio::test(start_paused = true)]
async fn a_task_is_submitted_by_its_path() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let taken = api.post("/tasks/submit/my_custom_task", json!({ "input": "x" })).await.ok();
    assert_eq!(taken["task_name"], "my_custom_task");
    assert_eq!(api.send(Method::POST, "/tasks/submit/nothing/", None).await.status, StatusCode::ACCEPTED);
    let problem = api.post("/tasks/submit/my_custom_task", json!({ "inputs": 1 })).await.problem(422, "invalid_body");
    let expected = json!([
        { "pointer": "/input", "detail": "is missing" },
        { "pointer": "/inputs", "detail": "is not known here; did you mean `input`?" },
    ]);
    assert_eq!(sorted(&problem), expected);
    api.post("/tasks/submit/my_custom_task", "[]").await.problem(422, "invalid_body");
    api.post("/tasks/submit/my_custom_tusk", "{}").await.problem(404, "task_name_unknown");
}

/// The faults of a problem, by their places.
fn sorted(problem: &Value) -> Value {
    let mut faults = problem["errors"].as_array().cloned().unwrap_or_default();
    faults.sort_by_key(|it| it.to_string());
    let key = |it: &Value| (it["pointer"].to_string(), it["detail"].to_string());
    faults.sort_by_key(key);
    Value::Array(faults)
}

#[tokio::test(start_paused = true)]
async fn all_that_is_wrong_is_told_at_once() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let body = json!({
        "task_name": "orders.place", "priority": 11, "timeuot": 1, "timeout": 0, "max_retries": -1, "task_type": "sync",
        "queue": "ordres", "delay": "soon", "run_at": "tomorrow", "unique_key": "", "tags": ["a b"], "request_id": "é",
        "client_info": 7, "owner": "me",
        "params": {
            "lines": [{ "article": 1, "count": 300 }, { "count": -1, "colour": "red" }], "payment": "cheque",
            "labels": { "a/b~c": 1 }, "notes": "x",
        },
    });
    let problem = api.post("/tasks/submit", &body).await.problem(422, "invalid_body");
    let faults: Vec<_> = sorted(&problem)
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{}: {}", it["pointer"].as_str().unwrap(), it["detail"].as_str().unwrap()))
        .collect();
    let told = problem["errors"].as_array().unwrap().len();
    assert_eq!((told, problem["more_errors"].clone()), (20, json!(1)), "{problem}");
    for expected in [
        "/priority: is not a whole number from -10 to 10",
        "/timeuot: is not known here; did you mean `timeout`?",
        "/timeout: is zero; write more",
        "/max_retries: is not a whole number from 0 to 1000",
        "/task_type: is not what the task is: `async`",
        "/queue: is no queue; did you mean `orders`?",
        "/tags: is no name: a name consists of letters, digits, `_`, `-`, `.` and `:`",
        "/owner: is not known here; it is whoever sends the request",
        "/client_info: is not an object",
        "/params/lines/0/article: is not of type string",
        "/params/lines/0/count: is more than 255",
        "/params/lines/1/article: is missing",
    ] {
        assert!(faults.iter().any(|it| it == expected), "{expected}\n{faults:#?}");
    }
    let params = json!({ "lines": [], "payment": "cheque", "labels": { "a/b~c": 1 }, "notes": "x" });
    let problem = api.post("/tasks/submit/orders.place", params).await.problem(422, "invalid_body");
    let expected = json!([
        { "pointer": "/labels/a~1b~0c", "detail": "is not of type string" },
        { "pointer": "/notes", "detail": "is not known here; did you mean `note`?" },
        { "pointer": "/payment", "detail": problem["errors"].as_array().unwrap().iter()
            .find(|it| it["pointer"] == "/payment").unwrap()["detail"] },
    ]);
    assert_eq!(sorted(&problem), expected);
    assert_eq!(app.tasks().statistics().await.unwrap().submitted, 0);
}

#[tokio::test(start_paused = true)]
async fn very_many_faults_are_counted_or_not_even_looked_for() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let lines = |count: usize| json!({ "lines": vec![json!(1); count], "payment": "cash" });
    let problem = api.post("/tasks/submit/orders.place", lines(9_000)).await.problem(422, "invalid_body");
    assert_eq!((problem["errors"].as_array().unwrap().len(), problem["more_errors"].clone()), (20, json!(8_980)));
    let problem = api.post("/tasks/submit/orders.place", lines(30_000)).await.problem(422, "invalid_body");
    let expected = json!([{ "pointer": "/lines/0", "detail": "is not of type object" }]);
    assert_eq!((problem["errors"].clone(), problem.get("more_errors")), (expected, None));
}

#[tokio::test(start_paused = true)]
async fn a_schema_that_says_more_than_the_types_is_kept() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let problem = api
        .post("/tasks/submit/bounded", json!({ "level": 11, "name": "too long" }))
        .await
        .problem(422, "invalid_body");
    let expected = json!([
        { "pointer": "/level", "detail": "is more than 10" },
        { "pointer": "/name", "detail": "has more than 5 characters" },
    ]);
    assert_eq!(sorted(&problem), expected);
    api.post("/tasks/submit/bounded", json!({ "level": 10, "name": "short" })).await.ok();
    let named = json!({ "task_name": "bounded", "params": { "level": 0, "name": "" } });
    let problem = api.post("/tasks/submit", named).await.problem(422, "invalid_body");
    assert_eq!(sorted(&problem), json!([{ "pointer": "/params/level", "detail": "is less than 1" }]));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_json_is_told_with_its_place() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let long = "[".repeat(40) + &"]".repeat(40);
    let cases: [(&str, &str); 9] = [
        ("", ""),
        ("nonsense", ""),
        (r#"{"task_name":"nothing","params":{"#, "/params"),
        (r#"{"task_name":"nothing","priority":1e}"#, "/priority"),
        (r#"{"task_name":"nothing","priority":1e999}"#, "/priority"),
        (r#"{"task_name":"nothing","task_name":"nothing"}"#, "/task_name"),
        (r#"{"task_name":"nothing","params":{"a":[{"b":1,"b":2}]}}"#, "/params/a/0/b"),
        (r#"{"task_name":"my_custom_task","params":{"input":"\ud800"}}"#, "/params/input"),
        (&format!(r#"{{"task_name":"nothing","params":{long}}}"#), ""),
    ];
    for (body, place) in cases {
        let reply = api.post("/tasks/submit", body).await;
        if body.is_empty() {
            let problem = reply.problem(400, "invalid_json");
            assert_eq!(problem["errors"][0]["detail"], "is empty; write an object, such as `{}`");
            continue;
        }
        let problem = reply.problem(400, "invalid_json");
        let at = problem["errors"][0]["pointer"].as_str().unwrap();
        assert!(if place.is_empty() { true } else { at == place }, "{body}: {problem}");
    }
    for body in ["[]", "1", "null", "\"text\""] {
        api.post("/tasks/submit", body).await.problem(422, "invalid_body");
    }
    let bytes = request(Method::POST, &format!("{BASE}/tasks/submit")).header("content-type", "application/json");
    let reply = send(&router, bytes.body(Body::from(vec![b'{', 0xff, b'}'])).unwrap()).await;
    reply.problem(400, "invalid_json");
}

#[tokio::test(start_paused = true)]
async fn the_body_must_be_json_as_it_is_and_not_too_large() {
    let app = app().await;
    let router = open(&app);
    let ask = async |headers: &[(&str, &str)], body: Body| {
        let mut request = request(Method::POST, &format!("{BASE}/tasks/submit"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(&router, request.body(body).unwrap()).await
    };
    let json = ("content-type", "application/json");
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/jsonp")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[json, json],
    ] {
        ask(headers, Body::from(ORIGINAL)).await.problem(415, "unsupported_media_type");
    }
    for encoding in ["gzip", "br", "identity, gzip"] {
        ask(&[json, ("content-encoding", encoding)], Body::from(ORIGINAL)).await.problem(415, "unsupported_encoding");
    }
    for good in ["application/json", "application/json; charset=utf-8", "Application/JSON ;x=y"] {
        let reply = ask(&[("content-type", good), ("content-encoding", "identity")], Body::from(ORIGINAL)).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{good}");
    }
    let large = format!(r#"{{"task_name":"my_custom_task","params":{{"input":"{}"}}}}"#, "x".repeat(64 << 10));
    ask(&[json], Body::from(large.clone())).await.problem(413, "too_large");
    // Without a length told before.
    let pieces = large.as_bytes().chunks(1_000).map(|it| Ok::<_, std::io::Error>(it.to_vec())).collect::<Vec<_>>();
    ask(&[json], Body::from_stream(futures_util::stream::iter(pieces))).await.problem(413, "too_large");
    let lied = ask(&[json, ("content-length", "99999999")], Body::from(ORIGINAL)).await;
    lied.problem(413, "too_large");
    let broken =
        Body::from_stream(futures_util::stream::iter([Ok("{".to_owned()), Err(std::io::Error::other("gone"))]));
    ask(&[json], broken).await.problem(400, "broken_body");
    let wide = mounted(&Api::new(&app, Access::open()).submit_body_limit(1 << 21));
    As(&wide, "").post("/tasks/submit", &large).await.ok();
    let beyond = format!(r#"{{"task_name":"my_custom_task","params":{{"input":"{}"}}}}"#, "x".repeat(1 << 20));
    As(&wide, "").post("/tasks/submit", beyond).await.problem(413, "too_large");
}

#[tokio::test(start_paused = true)]
async fn unknown_and_internal_tasks_are_the_same() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let faces = async |name: &str| {
        let named = api.post("/tasks/submit", json!({ "task_name": name })).await;
        let by_path = api.post(&format!("/tasks/submit/{name}"), "{}").await;
        [named, by_path].map(|it| {
            let mut problem = it.problem(404, "task_name_unknown");
            problem["request_id"].take();
            let text = problem.to_string();
            assert!(text.contains(&format!("there is no task `{name}`")), "{text}");
            text.replace(name, "…")
        })
    };
    assert_eq!(faces("housekeeping").await, faces("no_such_thing").await);
    assert_eq!(faces("housekeepin").await, faces("no_such_thing").await, "an internal name is no hint");
    let problem =
        api.post("/tasks/submit", json!({ "task_name": "my_custom_tsak" })).await.problem(404, "task_name_unknown");
    assert_eq!(problem["errors"][0]["detail"], "is not known here; did you mean `my_custom_task`?");
    api.post("/tasks/submit", json!({ "task_name": 7 })).await.problem(422, "invalid_body");
    api.post("/tasks/submit", json!({ "name": "nothing" })).await.problem(422, "invalid_body");
}

#[tokio::test(start_paused = true)]
async fn a_permission_to_submit_is_none_to_say_how() {
    let app = app().await;
    let keys = [
        ApiKey::new("shop", "key-of-the-shop-1").allow(Permission::Submit).allow(Permission::Read),
        ApiKey::new("boss", "key-of-the-boss-1").allow(Permission::SubmitWithOptions),
    ];
    let router = mounted(&Api::new(&app, Access::api_keys(keys).unwrap()));
    let (shop, boss) = (As(&router, "key-of-the-shop-1"), As(&router, "key-of-the-boss-1"));
    let problem = shop.post("/tasks/submit", ORIGINAL).await.problem(403, "forbidden");
    let expected = json!([
        { "pointer": "/priority", "detail": "is not yours to say" },
        { "pointer": "/timeout", "detail": "is not yours to say" },
    ]);
    assert_eq!(sorted(&problem), expected);
    boss.post("/tasks/submit", ORIGINAL).await.ok();
    for option in ["queue", "max_retries", "max_attempts", "delay", "run_at", "unique_key"] {
        shop.post("/tasks/submit", json!({ "task_name": "nothing", option: "x" })).await.problem(403, "forbidden");
    }
    let plain = json!({ "task_name": "nothing", "params": {}, "tags": ["x"], "task_type": "async" });
    let id = shop.post("/tasks/submit", plain).await.ok()["task_id"].as_str().unwrap().to_owned();
    assert_eq!(shop.get(&format!("/tasks/{id}")).await.ok()["owner"], "shop");
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_of_somebody_elses_is_not_shown() {
    let app = app().await;
    let keys = ["one", "two"]
        .map(|it| ApiKey::new(it, format!("{it}-has-this-long-key")).allow(Permission::Submit).allow(Permission::Read));
    let router = mounted(&Api::new(&app, Access::api_keys(keys).unwrap()));
    let (one, two) = (As(&router, "one-has-this-long-key"), As(&router, "two-has-this-long-key"));
    let id = one.submit("once", json!({ "key": "k" })).await;
    let again = one.post("/tasks/submit/once", json!({ "key": "k" })).await.ok();
    assert_eq!((again["task_id"].as_str().unwrap(), again["duplicate"].as_bool()), (id.as_str(), Some(true)));
    let reply = two.post("/tasks/submit/once", json!({ "key": "k" })).await;
    reply.problem(409, "duplicate_task");
    assert!(!reply.text.contains(&id));
}

#[tokio::test(start_paused = true)]
async fn an_idempotency_key_makes_one_task_of_equal_requests() {
    let app = app().await;
    let router = open(&app);
    let submit = async |key: &str, path: &str, body: &str| -> Reply {
        let request = request(Method::POST, &format!("{BASE}{path}"))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        send(&router, request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let first = submit("order-7", "/tasks/submit", ORIGINAL).await;
    let second = submit("order-7", "/tasks/submit", ORIGINAL).await;
    assert_eq!((first.header("idempotency-replayed"), second.header("idempotency-replayed")), ("", "true"));
    assert_eq!((second.status, second.json()), (StatusCode::ACCEPTED, first.json()));
    assert_eq!(first.header("location"), second.header("location"));
    let other = ORIGINAL.replace("data", "other");
    submit("order-7", "/tasks/submit", &other).await.problem(422, "idempotency_key_reused");
    submit("order-8", "/tasks/submit", &other).await.ok();
    submit("order-7", "/tasks/submit/my_custom_task", r#"{"input":"data"}"#).await.ok();
    assert_eq!(app.tasks().statistics().await.unwrap().submitted, 3);
    for bad in ["", "two words", &"k".repeat(256)] {
        submit(bad, "/tasks/submit", ORIGINAL).await.problem(400, "invalid_header");
    }
    submit(&"k".repeat(255), "/tasks/submit", ORIGINAL).await.ok();
}

#[tokio::test(start_paused = true)]
async fn an_idempotency_key_shows_no_task_of_another_owner() {
    let app = app().await;
    let keys = ["one", "two"].map(|it| ApiKey::new(it, format!("{it}-has-this-long-key")).allow(Permission::Submit));
    let router = mounted(&Api::new(&app, Access::api_keys(keys).unwrap()));
    let (body, path) = (r#"{"key":"k"}"#, format!("{BASE}/tasks/submit/once"));
    let submit = async |owner: &str| {
        let request = request(Method::POST, &path)
            .header("content-type", "application/json")
            .header("x-api-key", format!("{owner}-has-this-long-key"))
            .header("idempotency-key", "order-7");
        send(&router, request.body(Body::from(body)).unwrap()).await
    };
    let id = submit("one").await.ok()["task_id"].as_str().unwrap().to_owned();
    // The unique key is that of the first owner's task, and saying it again makes that no more visible.
    for _ in 0..2 {
        let reply = submit("two").await;
        reply.problem(409, "duplicate_task");
        assert!(!reply.text.contains(&id) && reply.header("location").is_empty(), "{}", reply.text);
    }
    assert_eq!(submit("one").await.ok()["task_id"], id);
    testing::drain(&app).await;
    submit("two").await.problem(409, "duplicate_task");
}

#[tokio::test(start_paused = true)]
async fn more_than_a_caller_may_submit_is_told_when_to_come_back() {
    let app = app().await;
    let keys = ["one", "two"].map(|it| ApiKey::new(it, format!("{it}-has-this-long-key")).allow(Permission::Submit));
    let quota = ddd_core::Quota::new(2, std::time::Duration::from_secs(3_600)).unwrap();
    let router = mounted(&Api::new(&app, Access::api_keys(keys).unwrap()).submit_limit(quota));
    let (one, two) = (As(&router, "one-has-this-long-key"), As(&router, "two-has-this-long-key"));
    for _ in 0..2 {
        one.submit("nothing", json!({})).await;
    }
    let reply = one.post("/tasks/submit/nothing", "{}").await;
    reply.problem(429, "rate_limited");
    let after: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1_700..=1_800).contains(&after), "{after}");
    two.submit("nothing", json!({})).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_told_when_to_come_back() {
    let settings = ddd_core::QueueSettings::new().max_depth(1);
    let app = testing::builder().queue("default", settings).build().await.unwrap();
    let router = open(&app);
    let api = As(&router, "");
    api.submit("nothing", json!({})).await;
    let reply = api.post("/tasks/submit/nothing", "{}").await;
    reply.problem(503, "queue_full");
    assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_users_code_ends_one_request() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let reply = api.post("/tasks/submit/explode", json!({ "mine": 1 })).await;
    reply.problem(500, "internal_error");
    assert!(!reply.text.contains("secret") && !reply.text.contains("src"), "{}", reply.text);
    api.submit("nothing", json!({})).await;
}
