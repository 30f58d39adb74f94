use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// Tables in which rows die as fast as tasks run.
pub(super) const TABLES: [&str; 5] = ["task", "history", "tally", "unique_key", "idempotency"];
/// So many dead rows are worth a vacuum, and besides one for so many that live: what it costs goes by all rows, and all indexes.
const FEW: i64 = 2_000;
const SHARE: i64 = 5;
/// So long it is not looked again.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// So long all is left to the server's own vacuum after ours failed.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(300);

/// What the server has counted of a table.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) table: String,
    pub(super) live: i64,
    pub(super) dead: i64,
    /// How often it was vacuumed.
    pub(super) vacuums: i64,
    /// Whether that was a moment ago.
    pub(super) is_fresh: bool,
    /// Whether the planner has statistics of it.
    pub(super) is_known: bool,
}

/// When this process vacuums, and what that left.
#[derive(Debug)]
pub(super) struct Vacuuming {
    is_on: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_running: bool,
    rests_until: Option<Instant>,
    left: HashMap<String, Left>,
}

/// What there was left of a table.
#[derive(Clone, Copy, Debug)]
struct Left {
    /// After so many vacuums.
    vacuums: i64,
    /// So many dead rows: those that an open transaction may still want to see.
    dead: i64,
    /// Whether this process did what it could since then.
    is_seen_to: bool,
}

impl Vacuuming {
    pub(super) fn new(is_on: bool) -> Arc<Self> {
        Arc::new(Self { is_on, state: Mutex::default() })
    }

    /// Whether it is time to look. Whoever is told so looks.
    pub(super) fn is_look_due(&self) -> bool {
        let mut state = self.state.lock();
        let now = Instant::now();
        let is_due = self.is_on && !state.is_running && state.rests_until.is_none_or(|it| it <= now);
        if is_due {
            state.rests_until = Some(now + LOOK);
        }
        is_due
    }

    /// Those that are worth a vacuum. So are new ones of some size: until somebody has looked at them, plans are used that were made
    /// for empty tables.
    pub(super) fn due(&self, counted: Vec<Counted>) -> Vec<Counted> {
        let mut state = self.state.lock();
        let is_due = |it: &Counted| {
            let left = match state.left.get(&it.table) {
                Some(left) if left.vacuums == it.vacuums => *left,
                // Somebody else did it; what has died since then counts as left, which errs by some seconds.
                Some(_) => Left { vacuums: it.vacuums, dead: it.dead, is_seen_to: false },
                None => Left { vacuums: it.vacuums, dead: 0, is_seen_to: false },
            };
            state.left.insert(it.table.clone(), left);
            // Twice what is left: an old transaction that keeps dead rows is not to cost one vacuum after the other.
            let are_many_dead = it.dead >= 2 * left.dead + FEW + it.live / SHARE;
            // Once only: one that is too large stays unknown until the server has looked at it.
            let is_new = !it.is_known && !left.is_seen_to && it.live >= FEW;
            !it.is_fresh && (are_many_dead || is_new)
        };
        counted.into_iter().filter(is_due).collect()
    }

    /// What a vacuum of this process has left of these tables, or had to leave because they are too large.
    pub(super) fn note(&self, of: &[Counted], counted: Vec<Counted>) {
        let counted = counted.into_iter().filter(|it| of.iter().any(|due| due.table == it.table));
        let left = counted.map(|it| (it.table, Left { vacuums: it.vacuums, dead: it.dead, is_seen_to: true }));
        self.state.lock().left.extend(left);
    }

    /// Looks no more for some minutes.
    pub(super) fn fail(&self) {
        self.state.lock().rests_until = Some(Instant::now() + REST_AFTER_FAILURE);
    }

    /// Begins, unless this process is at it.
    pub(super) fn begin(self: &Arc<Self>) -> Option<Running> {
        let was_running = std::mem::replace(&mut self.state.lock().is_running, true);
        (!was_running).then(|| Running { of: self.clone(), rest: REST_AFTER_FAILURE })
    }
}

/// The turn of this process; it is over when this is dropped, whatever happened.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) of: Arc<Vacuuming>,
    /// How long nobody looks then: it has failed unless it says otherwise.
    rest: Duration,
}

impl Running {
    /// It has not failed: so long nobody looks again.
    pub(super) fn rest(mut self, rest: Duration) {
        self.rest = rest;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.of.state.lock();
        state.is_running = false;
        state.rests_until = Some(Instant::now() + self.rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(live: i64, dead: i64, vacuums: i64) -> Counted {
        Counted { table: "task".to_owned(), live, dead, vacuums, is_fresh: false, is_known: true }
    }

    fn is_due(of: &Vacuuming, counted: Counted) -> bool {
        !of.due(vec![counted]).is_empty()
    }

    #[test]
    fn a_table_is_due_when_enough_has_died_for_its_size() {
        let of = Vacuuming::new(true);
        assert!(!is_due(&of, task(0, FEW - 1, 0)));
        assert!(is_due(&of, task(0, FEW, 0)));
        assert!(!is_due(&of, task(1_000_000, 200_000, 0)));
        assert!(is_due(&of, task(1_000_000, 202_000, 0)));
        assert!(!is_due(&of, Counted { is_fresh: true, ..task(0, FEW, 0) }), "another process has just done it");
    }

    #[test]
    fn a_new_table_is_due_when_it_has_rows() {
        let of = Vacuuming::new(true);
        assert!(!is_due(&of, Counted { is_known: false, ..task(FEW - 1, 0, 0) }));
        assert!(is_due(&of, Counted { is_known: false, ..task(FEW, 0, 0) }));
    }

    #[test]
    fn a_new_table_that_is_too_large_is_left_to_the_server() {
        let of = Vacuuming::new(true);
        let new = |dead, vacuums| Counted { is_known: false, ..task(FEW, dead, vacuums) };
        of.note(&of.due(vec![new(0, 0)]), vec![new(0, 0)]);
        assert!(!is_due(&of, new(0, 0)));
        assert!(is_due(&of, new(2 * FEW, 0)), "much has died since then");
        assert!(is_due(&of, new(0, 1)), "somebody vacuumed it, and did not look at it");
    }

    #[test]
    fn what_was_locked_is_due_again() {
        let of = Vacuuming::new(true);
        let new = || Counted { table: "history".to_owned(), is_known: false, ..task(FEW, 0, 0) };
        let due = of.due(vec![task(0, FEW, 0), new()]);
        assert_eq!(due.len(), 2);
        // Of both nothing was noted, nor of anything else.
        of.note(&[], vec![task(0, FEW, 0), new()]);
        assert!(is_due(&of, task(0, FEW, 0)) && is_due(&of, new()));
        // Of one it was.
        of.note(&[new()], vec![task(0, FEW, 0), new()]);
        assert!(is_due(&of, task(0, FEW, 0)) && !is_due(&of, new()));
    }

    #[test]
    fn what_no_vacuum_can_take_is_not_taken_again_and_again() {
        let of = Vacuuming::new(true);
        assert!(is_due(&of, task(0, 40_000, 0)));
        let history = || Counted { table: "history".to_owned(), ..task(0, 1_500, 0) };
        of.note(&of.due(vec![task(0, 40_000, 0), history()]), vec![task(0, 40_000, 1), history()]);
        assert!(!is_due(&of, task(0, 81_000, 1)));
        assert!(is_due(&of, task(0, 82_000, 1)));
        assert!(is_due(&of, Counted { dead: 2_500, ..history() }), "nothing was done about this one");
        // The server's own came, after the transaction had ended.
        assert!(!is_due(&of, task(0, 300, 2)));
        assert!(is_due(&of, task(0, 2_600, 2)));
    }

    #[test]
    fn one_at_a_time_and_then_a_rest() {
        let of = Vacuuming::new(true);
        assert!(of.is_look_due());
        assert!(!of.is_look_due(), "a moment later");
        of.state.lock().rests_until = None;
        let Some(running) = of.begin() else { panic!("nobody is at it") };
        assert!(of.begin().is_none() && !of.is_look_due());
        running.rest(LOOK);
        let rest = || of.state.lock().rests_until.map(|it| it.saturating_duration_since(Instant::now()));
        assert!(rest().is_some_and(|it| it <= LOOK));
        drop(of.begin());
        assert!(rest().is_some_and(|it| it > LOOK), "it failed");
        of.state.lock().rests_until = None;
        of.fail();
        assert!(!of.is_look_due() && rest().is_some_and(|it| it > LOOK), "the look failed");
        assert!(!Vacuuming::new(false).is_look_due());
    }
}
