use std::collections::VecDeque;

use serde::Serialize;

use super::window::Window;

/// How many calls there are in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// All of them.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were slow.
    pub slow: u64,
}

/// What was wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bad {
    /// It failed.
    pub(super) failed: bool,
    /// It was slow.
    pub(super) slow: bool,
}

impl Totals {
    pub(super) fn add(&mut self, bad: Bad) {
        self.calls += 1;
        self.failed += u64::from(bad.failed);
        self.slow += u64::from(bad.slow);
    }
}

/// The calls in a window.
#[derive(Clone, Debug)]
pub(super) enum Recent {
    Calls(LastCalls),
    Time(LastSlices),
}

/// The last so many calls. Good ones are not kept, only how many calls came since a bad one: so good calls may come in
/// lots, and however many there were, they take no time to forget.
#[derive(Clone, Debug)]
pub(super) struct LastCalls {
    most: u64,
    seen: u64,
    /// The bad ones among them, each with its number, oldest first.
    bad: VecDeque<(u64, Bad)>,
    failed: u64,
    slow: u64,
}

/// The calls of the last slices of time. A slice's place follows from its number, so late news of an older slice find it.
#[derive(Clone, Debug)]
pub(super) struct LastSlices(Box<[(u64, Totals)]>);

impl Recent {
    pub(super) fn new(window: Window) -> Self {
        match window {
            Window::Calls(most) => {
                Self::Calls(LastCalls { most: u64::from(most), seen: 0, bad: VecDeque::new(), failed: 0, slow: 0 })
            }
            Window::Time(_) => Self::Time(LastSlices((0..Window::SLICES).map(|it| (it, Totals::default())).collect())),
        }
    }

    /// So many good calls ended in this slice.
    pub(super) fn good(&mut self, calls: u64, slice: u64) {
        match self {
            Self::Calls(it) => it.advance(calls),
            Self::Time(it) => it.change(slice, |totals| totals.calls += calls),
        }
    }

    /// A bad call ended in this slice.
    pub(super) fn bad(&mut self, bad: Bad, slice: u64) {
        match self {
            Self::Calls(it) => it.bad(bad),
            Self::Time(it) => it.change(slice, |totals| totals.add(bad)),
        }
    }

    /// What is in the window in this slice.
    pub(super) fn totals(&self, slice: u64) -> Totals {
        match self {
            Self::Calls(it) => Totals { calls: it.seen.min(it.most), failed: it.failed, slow: it.slow },
            Self::Time(it) => it.totals(slice),
        }
    }
}

impl LastCalls {
    fn bad(&mut self, bad: Bad) {
        self.advance(1);
        self.bad.push_back((self.seen, bad));
        self.failed += u64::from(bad.failed);
        self.slow += u64::from(bad.slow);
    }

    /// So many calls more; as many leave.
    fn advance(&mut self, calls: u64) {
        self.seen += calls;
        while let Some((number, bad)) = self.bad.front().copied()
            && number + self.most <= self.seen
        {
            self.bad.pop_front();
            self.failed -= u64::from(bad.failed);
            self.slow -= u64::from(bad.slow);
        }
    }
}

impl LastSlices {
    fn change(&mut self, slice: u64, change: impl FnOnce(&mut Totals)) {
        let place = usize::try_from(slice % Window::SLICES).unwrap_or_default();
        let Some((number, totals)) = self.0.get_mut(place) else { return };
        if *number < slice {
            (*number, *totals) = (slice, Totals::default());
        }
        // Else it is older than all that the window holds.
        if *number == slice {
            change(totals);
        }
    }

    fn totals(&self, slice: u64) -> Totals {
        let mut sum = Totals::default();
        for (number, totals) in &self.0 {
            if number + Window::SLICES > slice {
                sum.calls += totals.calls;
                sum.failed += totals.failed;
                sum.slow += totals.slow;
            }
        }
        sum
    }
}
