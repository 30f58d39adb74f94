use std::cmp::Reverse;

use super::{entry::Entry, shared::Shared, state::State};
use crate::domain::{Cursor, Filter, Page, TaskStatus, TaskSummary, Timestamp};

/// What is looked through before others get their turn.
const SCANNED_AT_ONCE: usize = 2_048;
/// And before whoever asks gets an answer, whatever was found: about a millisecond.
const TURNS: usize = 4;

/// So many that run or are over are looked at in one turn, instead of looking for them further among all that wait: the history
/// is bounded, by 10,000 unless told otherwise.
const FEW: usize = 16_384;

impl State {
    /// Those that `filter` means, the first `wanted` from `cursor` on, if it means none that wait and the others are few.
    fn few(&self, filter: &Filter, cursor: Option<Cursor>, wanted: usize, now: Timestamp) -> Option<Vec<TaskSummary>> {
        let statuses = &filter.statuses;
        if statuses.is_empty() || statuses.iter().any(|it| it.is_queued()) {
            return None;
        }
        let has = |one, other| statuses.contains(&one) || statuses.contains(&other);
        let done = Some(&self.done).filter(|_| has(TaskStatus::Success, TaskStatus::Cancelled));
        let failed = Some(&self.failed).filter(|_| has(TaskStatus::Failed, TaskStatus::Timeout));
        let past = || done.iter().chain(failed.iter());
        if self.running.len() + past().map(|it| it.len()).sum::<usize>() > FEW {
            return None;
        }
        let keys = self.running.iter().map(|it| *it.1).chain(past().flat_map(|it| it.iter().map(|past| past.key)));
        let entries = keys.map(|key| self.entries.at(key));
        let entries = entries.filter(|it| cursor.is_none_or(|cursor| it.record.id < cursor.0));
        let mut meant = entries.filter(|it| self.means(filter, it)).collect::<Vec<_>>();
        let newest_first = |it: &&Entry| Reverse(it.record.id);
        if meant.len() > wanted {
            meant.select_nth_unstable_by_key(wanted, newest_first);
            meant.truncate(wanted);
        }
        meant.sort_unstable_by_key(newest_first);
        Some(meant.into_iter().map(|it| self.summary(it, now)).collect())
    }

    /// Looks at some records from `cursor` on and adds those that `filter` means to `found`, until there are `wanted`.
    /// Answers with where to go on; `None` at the end.
    fn scan(
        &self,
        filter: &Filter,
        cursor: Option<Cursor>,
        wanted: usize,
        now: Timestamp,
        found: &mut Vec<TaskSummary>,
    ) -> Option<Cursor> {
        let mut scanned = 0;
        for entry in self.entries.newest_first(cursor.map(|it| it.0)) {
            scanned += 1;
            if self.means(filter, entry) {
                found.push(self.summary(entry, now));
            }
            if scanned == SCANNED_AT_ONCE || found.len() >= wanted {
                return Some(Cursor(entry.record.id));
            }
        }
        None
    }
}

impl Shared {
    /// The tasks that a filter means, newest first.
    pub(super) fn list(&self, mut filter: Filter, cursor: Option<Cursor>, limit: usize) -> Page<TaskSummary> {
        if limit == 0 {
            return Page::new(Vec::new(), None);
        }
        if filter.ids.is_empty() {
            return self.scan(&filter, cursor, limit);
        }
        filter.ids.sort_unstable_by(|a, b| b.cmp(a));
        filter.ids.dedup();
        self.pick(&filter, cursor, limit)
    }

    /// Looks through the records, some at a time, so that others get their turn in between.
    fn scan(&self, filter: &Filter, cursor: Option<Cursor>, limit: usize) -> Page<TaskSummary> {
        let wanted = limit.saturating_add(1);
        let (mut items, mut next) = (Vec::new(), cursor);
        for turn in 0..TURNS {
            next = self.change(|state, now, _| state.scan(filter, next, wanted, now, &mut items));
            if next.is_none() || items.len() > limit {
                break;
            }
            // Most pages are full by now. If this one is not, those that are meant may be few behind many.
            if turn == 0
                && let Some(rest) = self.change(|state, now, _| state.few(filter, next, wanted - items.len(), now))
            {
                items.extend(rest);
                next = None;
                break;
            }
        }
        page(items, limit, next)
    }

    /// Looks only at the ids that the filter names.
    fn pick(&self, filter: &Filter, cursor: Option<Cursor>, limit: usize) -> Page<TaskSummary> {
        let mut items = Vec::new();
        let begin = cursor.map_or(0, |cursor| filter.ids.partition_point(|id| *id >= cursor.0));
        // The ids are known by where they stand, so a filter without them says whether a record is meant.
        let rest = Filter { ids: Vec::new(), ..filter.clone() };
        for ids in filter.ids[begin..].chunks(SCANNED_AT_ONCE) {
            self.change(|state, now, _| {
                let entries = ids.iter().filter_map(|id| Some(state.entries.at(state.entries.find(*id)?)));
                let meant = entries.filter(|it| state.means(&rest, it));
                items.extend(meant.map(|it| state.summary(it, now)).take(limit.saturating_add(1) - items.len()));
            });
            if items.len() > limit {
                break;
            }
        }
        page(items, limit, None)
    }
}

/// The first `limit` of `items`, and where to go on: after them, if there are more, or where the search has come to.
fn page(mut items: Vec<TaskSummary>, limit: usize, searched: Option<Cursor>) -> Page<TaskSummary> {
    let has_more = items.len() > limit;
    items.truncate(limit);
    let next = if has_more { items.last().map(|it| Cursor(it.id)) } else { searched };
    Page::new(items, next)
}
