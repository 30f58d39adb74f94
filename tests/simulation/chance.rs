//! What goes wrong, by chance. Each seed has faults of its own choice and frequency: a run in which everything goes wrong a
//! little finds less than many in which few things go wrong often.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ddd_core::testing::{Fault, Hint, HintFault, StoreCall};
use tokio::time::Instant;

/// What can go wrong under a seed, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Chance {
    fails: u32,
    answer_lost: u32,
    late: u32,
    late_answer: u32,
    twice: u32,
    again: u32,
    hangs: u32,
    hints_lost: u32,
    hints_twice: u32,
    /// Whether nodes are killed, cut off and ended.
    pub(crate) deaths: bool,
    pub(crate) nodes: usize,
    pub(crate) slots: usize,
    pub(crate) events: usize,
    /// How far events are apart at most, in milliseconds.
    pub(crate) pace: u64,
}

impl Chance {
    pub(crate) fn draw(random: &mut fastrand::Rng) -> Self {
        let mut often = |most: u32| if random.bool() { 0 } else { random.u32(1..=most) };
        let (fails, answer_lost, late, late_answer) = (often(200), often(150), often(150), often(150));
        let (twice, again, hangs) = (often(100), often(60), often(30));
        let (hints_lost, hints_twice) = (often(1_000), often(200));
        Self {
            fails,
            answer_lost,
            late,
            late_answer,
            twice,
            again,
            hangs,
            hints_lost,
            hints_twice,
            deaths: random.u32(..4) > 0,
            nodes: random.usize(1..=3),
            slots: random.usize(1..=4),
            events: random.usize(20..60),
            pace: if random.bool() { 300 } else { 2_000 },
        }
    }

    /// What happens to a call.
    pub(crate) fn fault(&self, random: &mut fastrand::Rng, call: StoreCall) -> Fault {
        let kinds = [self.fails, self.answer_lost, self.late, self.late_answer, self.twice, self.again, self.hangs];
        let mut drawn = random.u32(..1_000);
        let Some(kind) = kinds.iter().position(|often| {
            let is_it = drawn < *often;
            drawn = drawn.saturating_sub(*often);
            is_it
        }) else {
            return Fault::None;
        };
        // Rarely longer than a store may take: then the answer comes when nobody expects it any more.
        let delay = Duration::from_millis(if random.u32(..20) == 0 { 7_000 } else { random.u64(1..2_500) });
        match kind {
            0 => Fault::Fails,
            1 => Fault::AnswerLost,
            2 => Fault::Late(delay),
            3 => Fault::LateAnswer(delay),
            // A user's word that is heard again later is another word: no driver repeats one that was answered.
            4 if call != StoreCall::Control => Fault::Twice,
            5 if call != StoreCall::Control => Fault::Again(delay * 4),
            6 => Fault::Hangs,
            _ => Fault::None,
        }
    }

    /// What happens to a hint.
    pub(crate) fn hint_fault(&self, random: &mut fastrand::Rng, _: Hint<'_>) -> HintFault {
        match random.u32(..1_000) {
            drawn if drawn < self.hints_lost => HintFault::Lost,
            drawn if drawn < self.hints_lost + self.hints_twice => HintFault::Twice,
            _ => HintFault::None,
        }
    }
}

/// Until when a node is cut off from its store: nothing it says arrives before, and it hears nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct CutOff(Arc<Mutex<Option<Instant>>>);

impl CutOff {
    pub(crate) fn until(&self, until: Instant) {
        *self.0.lock().unwrap() = Some(until);
    }

    /// For how long yet.
    pub(crate) fn rest(&self) -> Option<Duration> {
        let rest = (*self.0.lock().unwrap())?.saturating_duration_since(Instant::now());
        (!rest.is_zero()).then_some(rest)
    }
}
