//! What is checked before anything runs: all problems at once, each with its place.

use std::{path::Path, process::Command};

use ddd_core::{
    App, AppBuilder, BuildError, Name, Priority, QueueSettings, ResultError, Retry, Settings, SubmitError, Task,
    TaskOverrides,
    domain::{Options, ScheduleOption},
    ports::{Body, Definition, Dependency},
    task, testing,
};

use crate::support::{builder, builder_with, echo, is_nightly, millis, nap, secs};

#[derive(Debug)]
struct Mailer;

#[derive(Debug)]
struct Ledger;

/// A definition at a place of the test's choice.
fn definition(
    name: &'static str,
    place: (&'static str, u32),
    options: Options,
    dependencies: &'static [Dependency],
) -> &'static Definition {
    let plain = echo::definition();
    let place = ("elsewhere", place.0, place.1);
    let body = plain.body;
    Box::leak(Box::new(Definition::new(name, "", place, options, body, plain.check, plain.schemas, dependencies, &[])))
}

static NEEDS_MAILER: [Dependency; 1] = [Dependency::of::<Mailer>("mailer")];
static NEEDS_LEDGER: [Dependency; 1] = [Dependency::of::<Ledger>("ledger")];

async fn problems(builder: AppBuilder) -> Vec<String> {
    match builder.build().await {
        Ok(_) => Vec::new(),
        Err(BuildError::Wiring(problems)) => problems,
        Err(other) => panic!("{other}"),
    }
}

/// That there are as many problems as expectations, and one for each, which begins with its first and has its other words.
fn assert_problems(problems: &[String], expected: &[&[&str]]) {
    for words in expected {
        let found =
            problems.iter().filter(|it| it.starts_with(words[0]) && words.iter().all(|word| it.contains(word))).count();
        assert_eq!(found, 1, "{words:?} in {problems:#?}");
    }
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
}

#[tokio::test(start_paused = true)]
async fn all_problems_at_once_with_their_places() {
    let twice = [
        definition("send_mail", ("src/mail.rs", 10), Options::DEFAULT, &[]),
        definition("send_mail", ("src/legacy.rs", 77), Options::DEFAULT, &[]),
    ];
    let needy = definition("book", ("src/books.rs", 5), Options::DEFAULT, &NEEDS_LEDGER);
    let bad_rule = ScheduleOption::Cron { expression: "* * * *", time_zone: "UTC" };
    let scheduled = definition("sweep", ("src/sweep.rs", 9), Options::DEFAULT.schedule(bad_rule), &[]);
    let mut settings = Settings::default();
    settings.slots = 0;
    settings.timeout = secs(0);
    settings.lease = secs(6);
    settings.heartbeat = secs(5);
    settings.poll_interval = secs(0);
    settings.store_timeout = secs(0);
    settings.transitions_buffer = 0;
    settings.retry = Retry::attempts(0);
    let builder = builder_with([twice[0], twice[1], needy, scheduled])
        .settings(settings)
        .provide(Mailer)
        .provide(Mailer)
        .queue("mail", QueueSettings::new().max_depth(0).concurrency(0).concurrency_per_worker(0))
        .queue("no spaces", QueueSettings::new())
        .override_task("ecoh", TaskOverrides::new().priority(Priority::MAX))
        .override_task("quite_another", TaskOverrides::new())
        .override_task("nap", TaskOverrides::new().timeout(secs(0)).concurrency(0).retry(Retry::attempts(0)).queue(""));
    let found = problems(builder).await;
    assert_problems(
        &found,
        &[
            &["two tasks are named `send_mail`", "src/mail.rs:10", "src/legacy.rs:77"],
            &["task `book` at src/books.rs:5", "ledger", "Ledger", ".provide("],
            &["task `sweep` at src/sweep.rs:9", "has 4 fields"],
            &["`slots` is 0"],
            &["`timeout` is zero", "1ms"],
            &["`lease` is not more than twice `heartbeat`"],
            &["`poll_interval` is zero"],
            &["`store_timeout` is zero"],
            &["`transitions_buffer` is 0"],
            &["`retry.max_attempts` is 0", "the first run counts"],
            &["`operations::wiring::Mailer` is provided twice"],
            &["queue `mail`", "`max_depth` is 0"],
            &["queue `mail`", "`concurrency` is 0"],
            &["queue `mail`", "`concurrency_per_worker` is 0"],
            &["queue `no spaces`", "letters"],
            &["settings override a task `ecoh`", "did you mean `echo`?"],
            &["settings override a task `quite_another`", "not linked"],
            &["settings override task `nap`", "`timeout` is zero"],
            &["settings override task `nap`", "`concurrency` is 0"],
            &["settings override task `nap`", "`retry.max_attempts` is 0"],
            &["settings override task `nap`", "may not be empty"],
        ],
    );
    let shown = BuildError::Wiring(found.clone()).to_string();
    assert!(shown.starts_with("the application cannot start: 21 problems\n  - "), "{shown}");
    assert!(found.iter().all(|it| shown.contains(it.as_str())));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_would_do_nothing_is_refused() {
    let limited = TaskOverrides::new().concurrency(2);
    let found = problems(builder().override_task("nap", limited.clone())).await;
    assert_problems(&found, &[&["settings override `concurrency` of task `nap` at ", "no key to count by"]]);
    let keyed = definition("keyed", ("src/keyed.rs", 1), Options::DEFAULT.concurrency(1), &[]);
    assert_problems(&problems(builder_with([keyed]).override_task("keyed", limited)).await, &[]);
}

#[tokio::test(start_paused = true)]
async fn what_is_provided_is_found_by_type() {
    let needy = || {
        [
            definition("mail", ("src/mail.rs", 1), Options::DEFAULT, &NEEDS_MAILER),
            definition("book", ("src/books.rs", 2), Options::DEFAULT, &NEEDS_LEDGER),
        ]
    };
    assert_problems(
        &problems(builder_with(needy())).await,
        &[&["task `mail` at src/mail.rs:1", "Mailer"], &["task `book` at src/books.rs:2", "Ledger"]],
    );
    assert_problems(
        &problems(builder_with(needy()).provide(Mailer)).await,
        &[&["task `book` at src/books.rs:2", "Ledger"]],
    );
    let factory = ddd_core::Factory::new(|_| async { Ok(Ledger) });
    assert_problems(&problems(builder_with(needy()).provide(Mailer).provide_with(factory)).await, &[]);
    let factory = ddd_core::Factory::new(|_| async { Ok(Mailer) });
    let twice = problems(builder().provide(Mailer).provide_with(factory)).await;
    assert_problems(&twice, &[&["`operations::wiring::Mailer` is provided twice"]]);
}

#[tokio::test(start_paused = true)]
async fn only_what_this_process_runs_is_checked() {
    let needy = || {
        [
            definition("mail", ("src/mail.rs", 1), Options::DEFAULT.queue("mail"), &NEEDS_MAILER),
            definition("book", ("src/books.rs", 2), Options::DEFAULT.queue("books"), &NEEDS_LEDGER),
        ]
    };
    assert_eq!(problems(builder_with(needy())).await.len(), 2);
    assert_problems(&problems(builder_with(needy()).queues(["mail"])).await, &[&["task `mail`"]]);
    assert_problems(&problems(builder_with(needy()).queues(["mail"]).provide(Mailer)).await, &[]);
    assert_problems(&problems(builder_with(needy()).queues(["default"])).await, &[]);
    assert_problems(&problems(builder_with(needy()).submit_only()).await, &[]);
    // Where an override puts a task is where it is run.
    let moved = TaskOverrides::new().queue("mail");
    let found = problems(builder_with(needy()).queues(["mail"]).override_task("book", moved)).await;
    assert_problems(&found, &[&["task `mail`"], &["task `book`"]]);
    let names = problems(builder().queues(["a b"])).await;
    assert_problems(&names, &[&["queue `a b`"]]);
    // What is wrong beside dependencies is wrong everywhere.
    let twice = builder_with([needy()[0], needy()[0], needy()[1]]).submit_only();
    assert_problems(&problems(twice).await, &[&["two tasks are named `mail`"]]);
}

#[tokio::test(start_paused = true)]
async fn a_process_serves_only_its_queues() {
    let app = builder().queues(["faults"]).build().await.unwrap();
    app.start_workers().await.unwrap();
    let body = app.submit(nap { millis: 1 }).await.unwrap();
    let served = app.submit(nap { millis: 1 }).queue("faults").await.unwrap();
    served.result().await.unwrap();
    crate::support::pass(secs(60)).await;
    assert_eq!(crate::support::status(&body).await, ddd_core::TaskStatus::Pending);
    assert_eq!(app.tasks().workers().await.unwrap()[0].queues, [Name::new("faults")]);
}

/// Lives in another program.
#[task("far_away", remote)]
async fn far(x: u8) -> Result<u8, String>;

#[tokio::test(start_paused = true)]
async fn remote_declarations_are_submitted_and_not_run() {
    let app = builder_with([far::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    assert!(matches!(far::definition().body, Body::Remote));
    let body = app.submit(far { x: 3 }).await.unwrap();
    let refused = app.submit_named("far_away", serde_json::json!({ "x": 300 })).await;
    assert!(matches!(refused, Err(SubmitError::InvalidParams { .. })), "its parameters are checked all the same");
    crate::support::pass(secs(60)).await;
    assert_eq!(crate::support::status(&body).await, ddd_core::TaskStatus::Parked);
    assert!(app.execute(far { x: 3 }).await.unwrap_err().to_string().contains("another binary"));
    let unknown = app.submit_named("far_awy", serde_json::json!({})).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no task `far_awy`; did you mean `far_away`?");
    // A declaration may stand beside the body that it declares.
    let both = [definition("far_away", ("src/far.rs", 1), Options::DEFAULT, &[]), far::definition()];
    let app = builder_with(both).build().await.unwrap();
    assert!(!app.registry().find("far_away").unwrap().definition.is_remote());
    let both = [far::definition(), both[0]];
    let app = builder_with(both).build().await.unwrap();
    assert!(!app.registry().find("far_away").unwrap().definition.is_remote());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_checked_by_name_alone_is_refused_at_submission() {
    let app = crate::support::started().await;
    for (refused, words) in [
        (app.submit(nap { millis: 1 }).queue("a b").await, "queue `a b`"),
        (app.submit(nap { millis: 1 }).timeout(secs(0)).await, "the timeout is zero"),
        (app.submit(nap { millis: 1 }).max_attempts(0).await, "the first run counts"),
    ] {
        let error = refused.unwrap_err();
        assert!(matches!(error, SubmitError::InvalidOption(_)) && error.to_string().contains(words), "{error}");
    }
    assert_eq!(app.tasks().statistics().await.unwrap().submitted, 0);
    let late = app.submit(nap { millis: 50 }).timeout(millis(10)).await.unwrap();
    assert!(matches!(late.result().await, Err(ResultError::TimedOut(_))));
}

#[test]
fn outside_a_runtime_it_says_so() {
    let mut build = Box::pin(App::builder().definitions([echo::definition()]).build());
    let waker = std::task::Waker::noop();
    let std::task::Poll::Ready(Err(error)) = build.as_mut().poll(&mut std::task::Context::from_waker(waker)) else {
        panic!("built without a runtime");
    };
    assert!(error.to_string().contains("there is no tokio runtime here"), "{error}");
}

/// A program whose panics would end all is refused. It is built for this test, which takes its time.
#[test]
fn a_program_that_aborts_at_a_panic_is_refused() {
    if !is_nightly() {
        return;
    }
    let folder = tempfile();
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("ddd-core");
    let manifest = format!(
        "[package]\nname = \"aborts\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         ddd-core = {{ path = {core:?} }}\ntokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}\n\
         [profile.dev]\npanic = \"abort\"\n"
    );
    std::fs::create_dir_all(folder.join("src")).unwrap();
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(core.parent().unwrap().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let program = "#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {\n    match ddd_core::App::start().await \
                   {\n        Ok(_) => println!(\"started\"),\n        Err(error) => println!(\"{error}\"),\n    }\n}\n";
    std::fs::write(folder.join("src/main.rs"), program).unwrap();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["run", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(said.contains("`panic = \"abort\"`"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

fn tempfile() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("ddd-aborts-{}", std::process::id()))
}

#[tokio::test(start_paused = true)]
async fn all_that_is_linked_is_there_unless_chosen() {
    let app = testing::builder().submit_only().build().await.unwrap();
    for name in ["echo", "nap", "fail", "far_away"] {
        assert!(app.registry().find(name).is_some(), "{name}");
    }
    assert_eq!(builder().build().await.unwrap().registry().len(), 3);
}
