//! The settings of the framework that this one follows take effect under their old names, value by value, and what is gone is told
//! with the reason.

use std::time::Duration;

use ddd_core::{App, Configuration, PolicyKind};
use ddd_web::WebSettings;

use crate::support::{Folder, explained};

/// Every setting that it had, as it wrote it into `.env`.
const DOTENV: &str = "\
APP_NAME=\"FastAPI DDD Framework\"\nAPP_VERSION=0.1.0\nDEBUG=true\nENVIRONMENT=development\nHOST=127.0.0.2\nPORT=8123\nRELOAD=false
API_PREFIX=/api/v2\nDOCS_URL=/docs\nREDOC_URL=/redoc\nALLOWED_ORIGINS=[\"*\"]\nALLOW_CREDENTIALS=true\nALLOW_METHODS=[\"*\"]\nALLOW_HEADERS=[\"*\"]
LOG_LEVEL=DEBUG\nLOG_FORMAT=console\nLOG_SQL=false\nJWT_SECRET_KEY=hunter2\nJWT_ALGORITHM=HS256\nJWT_EXPIRE_MINUTES=30
AWS_REGION=eu-central-1\nAWS_ACCESS_KEY_ID=hunter2\nAWS_SECRET_ACCESS_KEY=hunter2\nS3_BUCKET=b
DATABASE_URL=postgresql://me:hunter2@localhost/db\nDATABASE_POOL_SIZE=10\nDATABASE_MAX_OVERFLOW=20\nDATABASE_POOL_TIMEOUT=30\nDATABASE_POOL_RECYCLE=3600
REDIS_URL=redis://localhost:6379/0\nREDIS_HOST=localhost\nREDIS_PORT=6379\nREDIS_DB=0\nREDIS_PASSWORD=hunter2
CACHE_DEFAULT_TTL=1800\nCACHE_KEY_PREFIX=app:\nCACHE_MAX_SIZE=5000
TASK_MAX_WORKERS=7\nTASK_RETRY_ATTEMPTS=3\nTASK_RETRY_DELAY=5\nTASK_RESULT_CACHE_SIZE=500\nTASK_RESULT_CACHE_TTL=3600
TASK_ENABLE_S3_STORAGE=true\nTASK_S3_PERSIST_THRESHOLD_KB=10\nTASK_S3_PERSIST_LONG_TASKS=true\nTASK_SCHEDULER_INTERVAL=0.1
TASK_CLEANUP_INTERVAL=3600\nTASK_MAX_HISTORY_HOURS=48
RATE_LIMIT_ENABLED=true\nRATE_LIMIT_REQUESTS_PER_MINUTE=90\nRATE_LIMIT_BURST_SIZE=20
HEALTH_CHECK_TIMEOUT=3\nHEALTH_DEPENDENCIES=[\"cache\"]\nENABLE_METRICS=true\nENABLE_TRACING=true\nTRACING_SAMPLE_RATE=0.1
SLACK_WEBHOOK_URL=\nSLACK_CHANNEL=\nSLACK_ENABLED=false
";

/// The same in its two files of YAML, which are one here.
const YAML: &str = "\
framework: {name: FastAPI DDD Framework, version: 0.1.0, debug: true, environment: development}
server: {host: 127.0.0.2, port: 8123, reload: false}
api: {prefix: /api/v2, docs_url: /docs, redoc_url: /redoc}
cors: {allowed_origins: ['*'], allow_credentials: true}
logging: {level: DEBUG, format: console, sql: false}
security: {jwt: {secret_key: hunter2, algorithm: HS256, expire_minutes: 30}}
infrastructure:
  cache: {default_ttl: 1800, key_prefix: 'app:', max_size: 5000}
  tasks:
    max_workers: 7
    retry_attempts: 3
    retry_delay: 5
    result_cache_size: 500
    result_cache_ttl: 3600
    enable_s3_storage: true
    scheduler_interval: 0.1
    cleanup_interval: 3600
    max_history_hours: 48
  rate_limiting: {enabled: true, requests_per_minute: 90, burst_size: 20}
services: {billing: {enabled: true}}
aws: {region: eu-central-1, s3: {bucket_prefix: b}}
database: {url: 'postgresql://me:hunter2@localhost/db'}
monitoring: {metrics: {enabled: true}}
notifications: {slack: {enabled: false}}
";

fn takes_effect(configuration: &Configuration) {
    let settings = configuration.settings();
    let seconds = Duration::from_secs;
    assert_eq!((settings.slots, settings.store.results_max), (7, 500));
    // It counted retries, and here the first run counts.
    assert_eq!((settings.retry.max_attempts, settings.retry.delay), (4, seconds(5)));
    assert_eq!((settings.result_ttl, settings.store.history_ttl), (seconds(3_600), seconds(48 * 3_600)));
    assert_eq!(settings.poll_interval, Duration::from_millis(100));
    assert_eq!((configuration.app_name(), configuration.app_version()), (Some("FastAPI DDD Framework"), Some("0.1.0")));
    assert_eq!((configuration.log_level(), configuration.log_format()), ("DEBUG", "pretty"));
    let defaults = |kind: PolicyKind| serde_json::Value::Object(settings.policy_defaults[&kind].clone());
    assert_eq!(defaults(PolicyKind::Cached), serde_json::json!({ "ttl": "30m", "capacity": 5_000 }));
    assert_eq!(defaults(PolicyKind::RateLimited), serde_json::json!({ "limit": 90, "burst": 20 }));
    let web = WebSettings::of(configuration).unwrap();
    assert_eq!((web.address(), web.prefix()), (("127.0.0.2", 8_123), "/api/v2"));
    assert_eq!(explained(configuration, "app.debug").0, "true");
    assert!(!configuration.explain().to_string().contains("hunter2"));
}

#[test]
fn its_variables_take_effect() {
    let folder = Folder::new().file(".env", DOTENV);
    let configuration = WebSettings::declare(folder.builder()).load().unwrap();
    takes_effect(&configuration);
    assert_eq!(WebSettings::of(&configuration).unwrap().health.timeout, Duration::from_secs(3));
    let places = configuration.explain().settings.iter().filter(|it| it.origin.contains(".env:")).count();
    assert_eq!(places, 21, "{}", configuration.explain());
    // In the environment of the process as well.
    let variables = DOTENV.lines().map(|it| it.split_once('=').unwrap()).map(|(name, it)| (name, it.trim_matches('"')));
    let folder = Folder::new();
    takes_effect(&WebSettings::declare(folder.builder()).environment(variables).load().unwrap());
}

#[tokio::test]
async fn its_yaml_takes_effect_and_what_is_gone_is_told() {
    let folder = Folder::new().file("default.yaml", YAML);
    let configuration = WebSettings::declare(folder.builder()).load().unwrap_or_else(|error| panic!("{error}"));
    takes_effect(&configuration);
    let unused: Vec<_> = configuration.unused().iter().map(|it| it.key.as_str()).collect();
    let expected = [
        "logging.sql",
        "server.reload",
        "api.docs_url",
        "api.redoc_url",
        "cors",
        "security",
        "infrastructure.cache.key_prefix",
        "infrastructure.tasks.enable_s3_storage",
        "infrastructure.tasks.cleanup_interval",
        "infrastructure.rate_limiting.enabled",
        "aws",
        "database",
        "monitoring",
        "notifications",
        "services",
    ];
    assert_eq!(unused, expected);
    let told = configuration.unused()[1].to_string();
    assert!(told.ends_with("default.yaml:2: `server.reload`: this has no effect here: a Rust program is built anew; `cargo watch` does that"), "{told}");
    App::builder().definitions([]).configuration(&configuration).build().await.unwrap();
}

#[derive(serde::Deserialize, garde::Validate)]
struct Database {
    #[garde(skip)]
    url: String,
}

#[test]
fn a_section_that_the_service_declares_is_its_own() {
    let folder = Folder::new().file("default.yaml", "database: {url: here}\n");
    let configuration = folder.builder().section::<Database>("database").load().unwrap();
    assert_eq!(configuration.section::<Database>().unwrap().url, "here");
    assert!(configuration.unused().is_empty());
    // A server's section without a server is told of.
    let folder = Folder::new().file("default.yaml", "server: {port: 1}\n");
    let told = folder.told(&folder.builder().load().unwrap_err());
    assert!(told[0].contains("`server`: nobody reads this section; it belongs to `ddd-web`"), "{told:?}");
    // Its variables are not: they may be anybody's.
    folder
        .builder()
        .variable("X", "log.level")
        .environment([("PORT", "1"), ("X", "warn")])
        .directory("nowhere")
        .load()
        .unwrap();
}

#[test]
fn each_of_its_settings_is_in_the_guide() {
    let guide = include_str!("../../docs/configuration.md");
    for name in DOTENV.lines().filter_map(|it| it.split_once('=')).map(|it| it.0) {
        assert!(guide.contains(&format!("`{name}`")), "{name} is not in the guide");
    }
}

#[test]
fn the_canonical_name_beats_the_old_one_in_one_source() {
    let folder = Folder::new();
    let variables = [("TASK_MAX_WORKERS", "7"), ("DDD__TASKS__MAX_WORKERS", "8")];
    assert_eq!(folder.builder().environment(variables).load().unwrap().settings().slots, 8);
    // A higher source beats a lower one, whatever the name.
    let folder = folder.file("default.yaml", "tasks: {max_workers: 9}\n");
    assert_eq!(folder.builder().environment([("TASK_MAX_WORKERS", "7")]).load().unwrap().settings().slots, 7);
}
