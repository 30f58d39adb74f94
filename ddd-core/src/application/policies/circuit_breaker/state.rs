use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};

use super::{
    super::{
        ambient,
        stripes::{Apart, Stripes},
    },
    good_calls::GoodCalls,
    word::{Word, slice_of},
};
use crate::domain::{Admission, Circuit, CircuitBreakerSettings, CircuitTransition, Moment, Verdict};

/// A circuit that all its callers share.
#[derive(Debug)]
pub(super) struct State {
    /// What [`Word`] says of the circuit. Written under the lock, after the three below.
    word: AtomicU64,
    /// Until when an open circuit refuses, in nanoseconds.
    until: AtomicU64,
    /// How long a slice of the window is, in nanoseconds.
    slice: AtomicU64,
    /// From what length on a call is slow, in nanoseconds.
    slow: AtomicU64,
    good: Stripes<GoodCalls>,
    kept: Apart<Mutex<Kept>>,
    pub(super) refused: Apart<AtomicU64>,
    pub(super) ignored: Apart<AtomicU64>,
}

/// What the lock guards.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) circuit: Circuit,
    pub(super) figures: Figures,
}

/// What is counted under the lock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) good: u64,
    pub(super) failed: u64,
    pub(super) slow: u64,
    pub(super) opened: u64,
    pub(super) half_opened: u64,
    pub(super) closed: u64,
}

/// A call that was let through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    word: Word,
    at: Option<Moment>,
}

impl State {
    pub(super) fn new(settings: CircuitBreakerSettings) -> Self {
        let kept = Kept { circuit: Circuit::new(settings), figures: Figures::default() };
        let state = Self {
            word: AtomicU64::new(0),
            until: AtomicU64::new(0),
            slice: AtomicU64::new(1),
            slow: AtomicU64::new(0),
            good: Stripes::default(),
            kept: Apart(Mutex::new(kept)),
            refused: Apart::default(),
            ignored: Apart::default(),
        };
        state.publish(&state.kept.0.lock().circuit);
        state
    }

    /// Lets a call begin.
    ///
    /// # Errors
    /// It may not: in how long it may, if that is known.
    #[inline]
    pub(super) fn begin(&self, policy: &'static str) -> Result<Begun, Option<Duration>> {
        let word = self.word();
        if word.is_closed() && !word.is_watched() {
            return Ok(Begun { word, at: None });
        }
        self.begin_with_time(word, policy)
    }

    fn begin_with_time(&self, word: Word, policy: &'static str) -> Result<Begun, Option<Duration>> {
        if word.is_disabled() {
            return Ok(Begun { word, at: None });
        }
        let now = ambient::now();
        if word.is_closed() {
            return Ok(Begun { word, at: Some(now) });
        }
        let until = Moment::from_nanos(self.until.load(Ordering::Relaxed));
        if word.is_open() && now < until {
            return Err(self.refuse(until, now));
        }
        let mut kept = self.kept.0.lock();
        let (admission, transition) = kept.circuit.admit(now);
        let begun = Begun { word: Word::of(&kept.circuit), at: Some(now) };
        let until = kept.circuit.open_until();
        self.settle(kept, transition, policy);
        match admission {
            Some(_) => Ok(begun),
            None => Err(self.refuse(until.unwrap_or(Moment::MAX), now)),
        }
    }

    /// A call ended.
    #[inline]
    pub(super) fn end(&self, begun: Begun, verdict: Verdict, policy: &'static str) {
        if verdict == Verdict::Good && begun.word.is_closed() && self.end_well(begun) || begun.word.is_disabled() {
            return;
        }
        self.end_slowly(begun, verdict, policy);
    }

    /// A good call of a closed circuit, without the lock. `false` if it needs it.
    #[inline]
    fn end_well(&self, begun: Begun) -> bool {
        let word = self.word();
        if word.generation() != begun.word.generation() {
            return false;
        }
        let mut slice = 0;
        if word.is_timed() || word.is_watched() {
            let now = ambient::now();
            if self.is_slow(word, begun, now) {
                return false;
            }
            if word.is_timed() {
                slice = now.as_nanos() / self.slice.load(Ordering::Relaxed).max(1);
            }
        }
        self.good.mine().add(word.label(slice))
    }

    #[cold]
    fn end_slowly(&self, begun: Begun, verdict: Verdict, policy: &'static str) {
        if verdict == Verdict::Ignored {
            self.ignored.0.fetch_add(1, Ordering::Relaxed);
            if begun.word.is_closed() {
                return;
            }
        }
        let now = ambient::now();
        let mut kept = self.kept.0.lock();
        let slow = verdict != Verdict::Ignored && self.is_slow(begun.word, begun, now);
        kept.figures.good += u64::from(verdict == Verdict::Good);
        kept.figures.failed += u64::from(verdict == Verdict::Failed);
        kept.figures.slow += u64::from(slow);
        self.collect(&mut kept, now);
        let call = Admission { generation: begun.word.generation() };
        let transition = kept.circuit.end(call, verdict, slow, now);
        self.settle(kept, transition, policy);
    }

    /// The circuit and its figures, with all that threads have counted by now.
    pub(super) fn look<R>(&self, look: impl FnOnce(&mut Kept, Moment) -> R) -> R {
        let now = ambient::now();
        let mut kept = self.kept.0.lock();
        self.collect(&mut kept, now);
        let answer = look(&mut kept, now);
        self.publish(&kept.circuit);
        answer
    }

    #[inline]
    fn word(&self) -> Word {
        Word::from_bits(self.word.load(Ordering::Acquire))
    }

    fn is_slow(&self, word: Word, begun: Begun, now: Moment) -> bool {
        let slow = Duration::from_nanos(self.slow.load(Ordering::Relaxed));
        word.is_watched() && begun.at.is_some_and(|it| now - it >= slow)
    }

    fn refuse(&self, until: Moment, now: Moment) -> Option<Duration> {
        self.refused.0.fetch_add(1, Ordering::Relaxed);
        (until < Moment::MAX).then(|| until - now)
    }

    /// Tells the circuit of the good calls that the threads have counted. Those of an earlier generation only count as
    /// figures.
    fn collect(&self, kept: &mut Kept, now: Moment) {
        let (word, slice) = (Word::of(&kept.circuit), kept.circuit.slice(now));
        for lane in self.good.all() {
            let (label, calls) = lane.take();
            kept.figures.good += calls;
            if calls > 0 && word.is_of(label) {
                let slice = if word.is_timed() { slice_of(label, slice) } else { 0 };
                kept.circuit.good(word.generation(), calls, slice);
            }
        }
    }

    /// Publishes what became of the circuit; the log is told without the lock.
    fn settle(&self, mut kept: MutexGuard<'_, Kept>, transition: Option<CircuitTransition>, policy: &'static str) {
        let Some(transition) = transition else { return self.publish(&kept.circuit) };
        match transition {
            CircuitTransition::Opened => kept.figures.opened += 1,
            CircuitTransition::HalfOpened => kept.figures.half_opened += 1,
            CircuitTransition::Closed => kept.figures.closed += 1,
        }
        self.publish(&kept.circuit);
        drop(kept);
        match transition {
            CircuitTransition::Opened => tracing::warn!(policy, "the circuit opened"),
            CircuitTransition::HalfOpened => tracing::info!(policy, "the circuit is half open"),
            CircuitTransition::Closed => tracing::info!(policy, "the circuit closed"),
        }
    }

    /// Called under the lock.
    fn publish(&self, circuit: &Circuit) {
        let settings = circuit.settings();
        let slow = settings.slow_call.map_or(u64::MAX, |it| Moment::default().after(it).as_nanos());
        self.until.store(circuit.open_until().unwrap_or_default().as_nanos(), Ordering::Relaxed);
        self.slice.store(settings.window.slice().unwrap_or(1), Ordering::Relaxed);
        self.slow.store(slow, Ordering::Relaxed);
        self.word.store(Word::of(circuit).bits(), Ordering::Release);
    }
}
