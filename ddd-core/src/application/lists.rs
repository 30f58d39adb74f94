//! Lists of tasks: a store's short searches put together.

use std::time::Duration;

use tokio::time::Instant;

use super::{records, services::Services};
use crate::{
    domain::{Cursor, Filter, Page, TaskSummary},
    ports::StoreError,
};

/// The tasks that a filter means, as they are shown: until the page is full, there are no more, or `patience` is at its end.
pub(crate) async fn page(
    services: &Services,
    filter: Filter,
    mut cursor: Option<Cursor>,
    limit: usize,
    patience: Option<Duration>,
) -> Result<Page<TaskSummary>, StoreError> {
    let began = Instant::now();
    let mut items = Vec::new();
    loop {
        let found = services.call(services.store.list(filter.clone(), cursor, limit - items.len())).await?;
        items.extend(found.items.into_iter().map(records::masked_summary));
        cursor = found.next;
        if cursor.is_none() || items.len() >= limit || patience.is_some_and(|it| began.elapsed() >= it) {
            return Ok(Page::new(items, cursor));
        }
        // A store that has its answer at once would else keep the runtime's thread for the whole search.
        tokio::task::yield_now().await;
    }
}
