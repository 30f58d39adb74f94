//! A store as a URL says it.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use super::{
    options::{PostgresOptions, check_namespace, misconfigured},
    store::PostgresStore,
};
use crate::{domain::closest, ports::StoreError};

/// The parameters of a URL that are the store's.
const OWN: [&str; 7] =
    ["namespace", "statement_timeout_ms", "list_timeout_ms", "connections", "listen", "migrate", "vacuum"];

/// Those that the driver knows.
const SERVERS_OWN: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// The driver would take any URL, and go to this machine.
fn check_scheme(base: &str) -> Result<(), StoreError> {
    let scheme = base.split_once("://").map(|it| it.0.to_ascii_lowercase());
    if scheme.is_some_and(|it| it == "postgres" || it == "postgresql") { Ok(()) } else { Err(no_url()) }
}

fn is_servers_own(name: &str) -> bool {
    SERVERS_OWN.contains(&name) || name.starts_with("options[") || name.starts_with("options%5B")
}

/// Whether it is a URL of PostgreSQL, with nothing in it that the driver would pass over.
fn check(url: &str) -> Result<(), StoreError> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    check_scheme(base)?;
    let names = query.split('&').filter(|it| !it.is_empty()).map(|it| it.split_once('=').map_or(it, |it| it.0));
    match names.into_iter().find(|it| !is_servers_own(it)) {
        Some(name) if OWN.contains(&name) => Err(misconfigured(format!(
            "`{name}` stands in a URL that is read by `PostgresOptions::of_url` or `PostgresStore::connect`; here, set it in code"
        ))),
        Some(name) => Err(unknown(name)),
        None => Ok(()),
    }
}

fn no_url() -> StoreError {
    misconfigured("this is no URL of PostgreSQL; write `postgres://user:password@host/database`".to_owned())
}

fn unknown(name: &str) -> StoreError {
    let hint = match closest(name, OWN.into_iter().chain(SERVERS_OWN)) {
        Some(it) => format!("did you mean `{it}`?"),
        None => format!("the store's own are `{}`", OWN.join("`, `")),
    };
    // A password with a `?` that is not encoded could stand here.
    let shown = if name.len() <= 40 && name.bytes().all(|it| it.is_ascii_lowercase() || b"_-".contains(&it)) {
        name
    } else {
        "…"
    };
    misconfigured(format!("the URL has no parameter `{shown}`; {hint}"))
}

impl PostgresStore {
    /// With connections to the server of `url`, such as `postgres://user:password@host/database`. What the
    /// URL may say besides is in [`PostgresOptions::of_url`].
    ///
    /// # Errors
    /// The URL cannot be read, the server does not answer, or the tables cannot be made.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let (options, url) = PostgresOptions::of_url(url)?;
        options.connect(&url).await
    }
}

impl PostgresOptions {
    /// With connections to the server of `url`, such as `postgres://user:password@host/database`.
    ///
    /// # Errors
    /// The URL cannot be read, or has a parameter that is not PostgreSQL's; the server does not answer, or the tables cannot be made.
    pub async fn connect(self, url: &str) -> Result<PostgresStore, StoreError> {
        check(url)?;
        // The driver's own words may repeat the URL, and with it the password.
        let options = url.parse::<PgConnectOptions>().map_err(|_| no_url())?;
        self.open(options.application_name("ddd"), None).await
    }

    /// What `postgres://…?…` says: of its parameters `namespace`, `statement_timeout_ms`, `list_timeout_ms`, `connections`, `listen`,
    /// `migrate` and `vacuum` are the store's, and taken out; the others are PostgreSQL's.
    ///
    /// # Errors
    /// It is no URL of PostgreSQL, one of the store's own has a value that it cannot have, or a parameter is neither's.
    pub fn of_url(url: &str) -> Result<(Self, String), StoreError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        check_scheme(base)?;
        let mut options = Self::default();
        let mut others = Vec::new();
        for pair in query.split('&').filter(|it| !it.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "namespace" => options.namespace = value.to_owned(),
                "statement_timeout_ms" => options.statement_timeout = Duration::from_millis(number(name, value)?),
                "list_timeout_ms" => options.list_timeout = Duration::from_millis(number(name, value)?),
                "connections" => options.connections = number(name, value)?,
                "listen" => options.listens = flag(name, value)?,
                "migrate" => options.migrates = flag(name, value)?,
                "vacuum" => options.vacuums = flag(name, value)?,
                _ if is_servers_own(name) => others.push(pair),
                _ => return Err(unknown(name)),
            }
        }
        check_namespace(&options.namespace)?;
        let rest = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
        Ok((options.checked()?, rest))
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, StoreError> {
    value.parse().map_err(|_| misconfigured(format!("`{name}` is `{value}`; write a whole number")))
}

fn flag(name: &str, value: &str) -> Result<bool, StoreError> {
    value.parse().map_err(|_| misconfigured(format!("`{name}` is `{value}`; write `true` or `false`")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panics")]

    use super::*;

    #[test]
    fn a_url_says_what_the_store_is_to_do_and_the_rest_is_for_the_server() {
        let url = "postgres://u:p@host/db?sslmode=require&namespace=shop&listen=false&statement_timeout_ms=500&list_timeout_ms=70";
        let (options, rest) = PostgresOptions::of_url(url).unwrap();
        assert_eq!(rest, "postgres://u:p@host/db?sslmode=require");
        assert_eq!((options.namespace.as_str(), options.listens, options.migrates), ("shop", false, true));
        let timeouts = (options.statement_timeout, options.list_timeout);
        assert_eq!(timeouts, (Duration::from_millis(500), Duration::from_millis(70)));
        for wrong in ["namespace=Shop", "namespace=a%20b", "namespace=pg_x", "listen=yes", "connections=many"] {
            assert!(PostgresOptions::of_url(&format!("postgres://h/d?{wrong}")).is_err(), "{wrong}");
        }
        for wrong in ["postgres:/bad", "postgres:bad", "postgres", "mysql://h/d"] {
            assert!(problem(wrong).starts_with("this is no URL of PostgreSQL"), "{wrong}");
        }
    }

    fn problem(url: &str) -> String {
        std::error::Error::source(&PostgresOptions::of_url(url).unwrap_err()).unwrap().to_string()
    }

    #[test]
    fn a_parameter_that_nobody_knows_is_told_with_the_one_that_is_like_it() {
        let told = |query| problem(&format!("postgres://h/d?{query}"));
        assert_eq!(told("conections=3"), "the URL has no parameter `conections`; did you mean `connections`?");
        assert_eq!(told("ssl_mode=require"), "the URL has no parameter `ssl_mode`; did you mean `ssl-mode`?");
        assert!(told("colour=red").contains("the store's own are `namespace`, "), "{}", told("colour=red"));
        assert!(!told("hunter2@host/db").contains("hunter2"));
        let all = SERVERS_OWN.map(|it| format!("{it}=1")).join("&");
        assert!(PostgresOptions::of_url(&format!("POSTGRES://h/d?{all}&options[search_path]=x")).is_ok());
    }
}
