//! Which store a URL means.

use std::sync::Arc;

#[cfg(feature = "postgres")]
use crate::infrastructure::postgres::PostgresStore;
#[cfg(feature = "sqlite")]
use crate::infrastructure::sqlite::SqliteOptions;
use crate::{
    domain::closest,
    infrastructure::memory::MemoryStore,
    ports::{Clock, StoreError, StoreErrorKind, StoreFuture, TaskStore},
};

/// A kind of store, by what its URLs begin with.
struct Scheme {
    /// Without the colon.
    name: &'static str,
    /// How a URL of it is written.
    example: &'static str,
    /// Which feature has it; empty if all programs have it.
    feature: &'static str,
    /// Opens the store, given the whole URL and the application's clock; `None` if the feature is off.
    open: Option<Open>,
}

/// Opens the store of a URL, on the application's clock.
type Open = fn(&str, Arc<dyn Clock>) -> StoreFuture<Arc<dyn TaskStore>>;

/// Every kind of store that there is, in this program or with one more feature.
const SCHEMES: &[Scheme] = &[
    Scheme { name: "memory", example: "memory:", feature: "", open: Some(memory) },
    Scheme { name: "postgres", example: "postgres://host/database", feature: "postgres", open: POSTGRES },
    Scheme { name: "postgresql", example: "postgresql://host/database", feature: "postgres", open: POSTGRES },
    Scheme { name: "sqlite", example: "sqlite:tasks.db", feature: "sqlite", open: SQLITE },
];

#[cfg(feature = "postgres")]
const POSTGRES: Option<Open> = Some(postgres);
#[cfg(not(feature = "postgres"))]
const POSTGRES: Option<Open> = None;

#[cfg(feature = "sqlite")]
const SQLITE: Option<Open> = Some(sqlite);
#[cfg(not(feature = "sqlite"))]
const SQLITE: Option<Open> = None;

/// A store that is not open yet.
pub(super) struct StoreUrl<'a> {
    url: &'a str,
    open: Open,
}

impl<'a> StoreUrl<'a> {
    /// Looks which store it is, and opens nothing.
    ///
    /// # Errors
    /// It is no store of this program, in words. The URL itself is not repeated, as there may be a password in it.
    pub(super) fn read(url: &'a str) -> Result<Self, String> {
        Self::read_as(url, SCHEMES)
    }

    fn read_as(url: &'a str, schemes: &[Scheme]) -> Result<Self, String> {
        let url = url.trim();
        let Some((name, _)) = url.split_once(':') else {
            return Err(format!("this is no URL of a store; write {}", examples(schemes)));
        };
        let lower = name.to_ascii_lowercase();
        let Some(scheme) = schemes.iter().find(|it| it.name == lower) else {
            let hint = match closest(&lower, schemes.iter().map(|it| it.name)) {
                Some(it) => format!("did you mean `{it}:`?"),
                None => format!("write {}", examples(schemes)),
            };
            return Err(format!("there is no store for `{}:`; {hint}", shown(name)));
        };
        match scheme.open {
            Some(open) => Ok(Self { url, open }),
            None => Err(format!(
                "the store `{}:` is not built into this program; switch the feature `{}` of `ddd-core` on",
                scheme.name, scheme.feature
            )),
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// It cannot be.
    pub(super) async fn open(self, clock: Arc<dyn Clock>) -> Result<Arc<dyn TaskStore>, StoreError> {
        (self.open)(self.url, clock).await
    }
}

/// What stands before the first colon, if it can be part of a URL at all.
fn shown(name: &str) -> &str {
    let is_scheme = name.len() <= 20 && name.chars().all(|it| it.is_ascii_alphanumeric() || "+-.".contains(it));
    if is_scheme { name } else { "…" }
}

fn examples(schemes: &[Scheme]) -> String {
    let open = schemes.iter().filter(|it| it.open.is_some());
    open.map(|it| format!("`{}`", it.example)).collect::<Vec<_>>().join(" or ")
}

/// The store of those who say nothing: in memory.
pub(super) fn unless_set(clock: Arc<dyn Clock>) -> Arc<dyn TaskStore> {
    Arc::new(MemoryStore::with_clock(clock))
}

/// A store in this process's memory. There is nothing to say about it behind the colon.
fn memory(url: &str, clock: Arc<dyn Clock>) -> StoreFuture<Arc<dyn TaskStore>> {
    let has_more = url.split_once(':').is_some_and(|it| !matches!(it.1, "" | "//"));
    Box::pin(async move {
        if has_more {
            return Err(StoreError::new(
                StoreErrorKind::Misconfigured,
                "there is nothing to say about a store in memory; write `memory:`",
            ));
        }
        Ok(unless_set(clock))
    })
}

/// A store in a file. Opening it may wait for the disk, so a thread of the runtime's does that.
#[cfg(feature = "sqlite")]
fn sqlite(url: &str, clock: Arc<dyn Clock>) -> StoreFuture<Arc<dyn TaskStore>> {
    let options = SqliteOptions::of_url(url);
    Box::pin(async move {
        let options = options?.clock(clock);
        let opened = tokio::task::spawn_blocking(move || options.open()).await;
        let store: Arc<dyn TaskStore> =
            Arc::new(opened.map_err(|error| StoreError::new(StoreErrorKind::Unavailable, error))??);
        Ok(store)
    })
}

/// A store on a server, over a pool of connections of its own. It goes by the server's clock.
#[cfg(feature = "postgres")]
fn postgres(url: &str, _: Arc<dyn Clock>) -> StoreFuture<Arc<dyn TaskStore>> {
    let url = url.to_owned();
    Box::pin(async move { Ok(Arc::new(PostgresStore::connect(&url).await?) as Arc<dyn TaskStore>) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_store_is_told_with_what_to_write() {
        let off = Scheme { name: "sqlite", example: "sqlite:tasks.db", feature: "sqlite", open: None };
        let schemes = [Scheme { name: "memory", example: "memory:", feature: "", open: Some(memory) }, off];
        let told = |url| StoreUrl::read_as(url, &schemes).err().unwrap_or_default();
        assert_eq!(told("memory:"), "");
        assert_eq!(told(" MEMORY: "), "");
        assert_eq!(told("memroy:"), "there is no store for `memroy:`; did you mean `memory:`?");
        assert_eq!(told("mysql://app:hunter2@db/x"), "there is no store for `mysql:`; write `memory:`");
        assert_eq!(
            told("sqlite:tasks.db"),
            "the store `sqlite:` is not built into this program; switch the feature `sqlite` of `ddd-core` on"
        );
        assert_eq!(told("tasks.db"), "this is no URL of a store; write `memory:`");
        assert_eq!(told("hunter2 hunter2:x"), "there is no store for `…:`; write `memory:`");
    }
}
