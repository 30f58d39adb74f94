use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// The texts of statements for one schema. They are written for the schema `ddd`; for another one it is replaced, once for each.
#[derive(Debug)]
pub(super) struct Texts {
    schema: String,
    prefix: Option<String>,
    replaced: RwLock<HashMap<usize, Arc<str>>>,
}

/// What is replaced.
const PREFIX: &str = "ddd.";

impl Texts {
    /// `schema` has been checked: it needs no quotes.
    pub(super) fn new(schema: &str) -> Self {
        let prefix = Some(format!("{schema}.")).filter(|it| it != PREFIX);
        Self { schema: schema.to_owned(), prefix, replaced: RwLock::default() }
    }

    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    /// A statement for this schema.
    pub(super) fn of(&self, text: &'static str) -> SqlStr {
        let Some(prefix) = &self.prefix else { return text.into_sql_str() };
        // A text is known by its place: it is there as long as the program.
        let key = text.as_ptr() as usize;
        let known = self.replaced.read().get(&key).cloned();
        let replaced = known.unwrap_or_else(|| {
            let replaced: Arc<str> = text.replace(PREFIX, prefix).into();
            self.replaced.write().insert(key, replaced.clone());
            replaced
        });
        AssertSqlSafe(replaced).into_sql_str()
    }

    /// The same for a text that is used once.
    pub(super) fn once(&self, text: &str) -> SqlStr {
        let text = self.prefix.as_ref().map_or_else(|| text.to_owned(), |it| text.replace(PREFIX, it));
        AssertSqlSafe(text).into_sql_str()
    }
}
