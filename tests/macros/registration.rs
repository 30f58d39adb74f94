//! What the registry is told.

use std::time::Duration;

use ddd_core::{
    __private::linked,
    Retry, Task, TaskContext,
    domain::{Options, Priority, ScheduleOption, Until},
    ports::{Body, Definition},
    task,
};

/// Counts the words of a text.
///
/// Words are separated by white space.
#[task]
async fn plain(
    /// The text.
    text: String,
) -> Result<usize, std::io::Error> {
    Ok(text.split_whitespace().count())
}

#[task(
    "render:invoice",
    queue = "documents",
    priority = -5,
    timeout = "5m",
    retry(max_attempts = 5, delay = "1s", backoff = 3, max_delay = "2h", jitter = false),
    unique(by = parameters, for = "1h"),
    concurrency(limit = 2, key = tenant),
    result_ttl = "250ms",
    schedule(cron = "0 3 * * *", tz = "Europe/Berlin"),
    version = 2,
    category = "billing",
    tags("slow", "pdf"),
    internal,
    command = RenderInvoice
)]
fn everything(#[serde(default)] tenant: String, #[inject] storage: &u64, #[inject] context: TaskContext) {
    let _ = (tenant, storage, context);
}

#[task(remote, queue = "far")]
async fn elsewhere(count: u32) -> Result<u8, String>;

#[task(schedule(every = "90s"), unique)]
async fn ticking() {}

mod nested {
    #[doc = "From a file:"]
    #[doc = include_str!("registration.md")]
    #[ddd_core::task]
    pub(crate) async fn documented() {}
}

fn registered(name: &str) -> &'static Definition {
    let found: Vec<_> = linked().into_iter().filter(|it| it.name == name).collect();
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

#[test]
fn a_bare_attribute_registers_the_function_under_its_name_with_defaults() {
    let definition = registered("plain");
    assert_eq!(definition.doc, "Counts the words of a text.\n\nWords are separated by white space.");
    assert_eq!(definition.module, "macros::registration");
    assert!(definition.file.ends_with("macros/registration.rs"), "{}", definition.file);
    let line = include_str!("registration.rs").lines().position(|it| it.contains("async fn plain")).unwrap() + 1;
    assert_eq!(definition.line as usize, line - 1, "the line of the attribute");
    assert_eq!(definition.options, Options::DEFAULT);
    assert!(matches!(definition.body, Body::Async(_)));
    assert!(definition.dependencies.is_empty() && definition.secrets.is_empty());
    assert!(std::ptr::eq(definition, plain::definition()));
}

#[test]
fn every_option_reaches_the_registry() {
    let definition = registered("render:invoice");
    let expected = Options::DEFAULT
        .queue("documents")
        .priority(Priority::clamped(-5))
        .timeout(Duration::from_secs(300))
        .retry(
            Retry::attempts(5)
                .delay(Duration::from_secs(1))
                .backoff(3.0)
                .max_delay(Duration::from_secs(7_200))
                .jitter(false),
        )
        .unique(Until::Elapsed(Duration::from_secs(3_600)))
        .concurrency(2)
        .result_ttl(Duration::from_millis(250))
        .schedule(ScheduleOption::Cron { expression: "0 3 * * *", time_zone: "Europe/Berlin" })
        .version(2)
        .category("billing")
        .tags(&["slow", "pdf"])
        .internal(true);
    assert_eq!(definition.options, expected);
    assert!(definition.is_blocking());
    assert!(std::ptr::eq(definition, RenderInvoice::definition()));
    let dependencies: Vec<_> = definition.dependencies.iter().map(|it| (it.param, (it.type_name)())).collect();
    assert_eq!(dependencies, [("storage", "u64"), ("context", std::any::type_name::<TaskContext>())]);
    everything(String::new(), &1, crate::support::context());
}

#[test]
fn a_remote_task_has_a_struct_and_no_body() {
    let definition = registered("elsewhere");
    assert!(definition.is_remote());
    assert_eq!(definition.options.queue, "far");
    assert_eq!(serde_json::to_string(&elsewhere { count: 3 }).unwrap(), r#"{"count":3}"#);
}

#[test]
fn bare_unique_and_every() {
    let options = registered("ticking").options;
    assert_eq!(options.unique, Some(Until::Finished));
    assert_eq!(options.schedule, Some(ScheduleOption::Every(Duration::from_secs(90))));
}

#[test]
fn documentation_from_a_file_is_kept() {
    let definition = registered("documented");
    assert_eq!(definition.doc, "From a file:\nKept apart, because it is long.\n\n");
    assert_eq!(definition.module, "macros::registration::nested");
    drop(nested::documented());
}
