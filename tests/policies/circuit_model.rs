//! A circuit beside a model that remembers everything and is written for nothing but to be read.

use std::time::Duration;

use ddd_core::{
    __private::policies::{CircuitBreakerSettings, CircuitCall, Verdict},
    ports::{Forced, Policy},
    testing::isolated_with_clock,
};
use fastrand::Rng;
use serde_json::json;

use crate::{
    cell,
    support::{Clock, Seed, seeds, settings},
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Closed,
    Open { since: u64 },
    HalfOpen { since: u64 },
    Held(Forced),
}

#[derive(Clone, Copy, Debug)]
struct Ended {
    /// In which slice of the window.
    slice: u64,
    failed: bool,
    slow: bool,
}

/// Times are in nanoseconds.
#[derive(Debug)]
struct Rules {
    failure_rate: f64,
    window_calls: Option<usize>,
    window_time: u64,
    min_calls: usize,
    slow_call: Option<u64>,
    slow_rate: f64,
    open_for: u64,
    probes: usize,
}

struct Model {
    rules: Rules,
    state: State,
    /// Which calls belong to the state: those that began in it.
    epoch: u64,
    ended: Vec<Ended>,
    running_probes: usize,
}

/// A call that is under way: in the model, and for real.
struct Running {
    epoch: u64,
    began: u64,
    call: CircuitCall,
}

impl Model {
    fn enter(&mut self, state: State) {
        (self.state, self.epoch, self.running_probes) = (state, self.epoch + 1, 0);
        self.ended.clear();
    }

    fn admits(&mut self, now: u64) -> bool {
        let waited = |since| now >= since + self.rules.open_for;
        match self.state {
            State::Held(Forced::Open) => return false,
            State::Closed | State::Held(_) => return true,
            State::Open { since } if !waited(since) => return false,
            State::Open { .. } => self.enter(State::HalfOpen { since: now }),
            State::HalfOpen { since } if waited(since) => self.enter(State::HalfOpen { since: now }),
            State::HalfOpen { .. } if self.running_probes + self.ended.len() >= self.rules.probes => return false,
            State::HalfOpen { .. } => {}
        }
        self.running_probes += 1;
        true
    }

    fn end(&mut self, epoch: u64, began: u64, verdict: Verdict, now: u64) {
        let disabled = matches!(self.state, State::Held(Forced::Open | Forced::Disabled));
        if epoch != self.epoch || disabled {
            return;
        }
        if let State::HalfOpen { .. } = self.state {
            self.running_probes -= 1;
        }
        if verdict == Verdict::Ignored {
            return;
        }
        let slow = self.rules.slow_call.is_some_and(|it| now - began >= it);
        let failed = verdict == Verdict::Failed;
        self.ended.push(Ended { slice: now / (self.rules.window_time / 60), failed, slow });
        match self.state {
            State::Closed if (failed || slow) && self.is_too_bad(now) => self.enter(State::Open { since: now }),
            State::HalfOpen { .. } => self.judge_probes(now),
            _ => {}
        }
    }

    fn is_too_bad(&self, now: u64) -> bool {
        let slice = now / (self.rules.window_time / 60);
        let counted: Vec<_> = match self.rules.window_calls {
            Some(calls) => self.ended.iter().rev().take(calls).collect(),
            None => self.ended.iter().filter(|it| it.slice + 60 > slice).collect(),
        };
        let part = |is: fn(&Ended) -> bool| counted.iter().filter(|it| is(it)).count() as f64 / counted.len() as f64;
        counted.len() >= self.rules.min_calls
            && (part(|it| it.failed) >= self.rules.failure_rate
                || self.rules.slow_call.is_some() && part(|it| it.slow) >= self.rules.slow_rate)
    }

    fn judge_probes(&mut self, now: u64) {
        let all = self.rules.probes as f64;
        let missing = self.rules.probes - self.ended.len();
        let bad = |more: usize| {
            let failed = self.ended.iter().filter(|it| it.failed).count() + more;
            let slow = self.ended.iter().filter(|it| it.slow).count() + more;
            failed as f64 / all >= self.rules.failure_rate
                || self.rules.slow_call.is_some() && slow as f64 / all >= self.rules.slow_rate
        };
        match (bad(0), bad(missing)) {
            (true, _) => self.enter(State::Open { since: now }),
            (false, false) => self.enter(State::Closed),
            (false, true) => {}
        }
    }

    fn name(&self) -> &'static str {
        match self.state {
            State::Closed => "closed",
            State::Open { .. } => "open",
            State::HalfOpen { .. } => "half_open",
            State::Held(Forced::Open) => "forced_open",
            State::Held(Forced::Closed) => "forced_closed",
            State::Held(_) => "disabled",
        }
    }
}

fn rules(rng: &mut Rng) -> Rules {
    let window_calls = rng.bool().then(|| rng.usize(1..40));
    Rules {
        failure_rate: f64::from(rng.u32(1..=10)) / 10.0,
        window_calls,
        window_time: 60 * rng.u64(1..1_000_000_000),
        min_calls: rng.usize(1..=window_calls.unwrap_or(20)),
        slow_call: rng.bool().then(|| rng.u64(1..2_000_000_000)),
        slow_rate: f64::from(rng.u32(1..=10)) / 10.0,
        open_for: rng.u64(1..20_000_000_000),
        probes: rng.usize(1..8),
    }
}

fn json_of(rules: &Rules) -> serde_json::Value {
    let nanos = |it: u64| format!("{it}ns");
    let window = rules.window_calls.map_or_else(|| json!(nanos(rules.window_time)), |it| json!(it));
    json!({
        "failure_rate": rules.failure_rate,
        "window": window,
        "min_calls": rules.min_calls,
        "slow_call": rules.slow_call.map(nanos),
        "slow_rate": rules.slow_rate,
        "open_for": nanos(rules.open_for),
        "probes": rules.probes,
    })
}

async fn compare(seed: u64) {
    const STEPS: usize = 1_500;
    let _seed = Seed(seed);
    let mut rng = Rng::with_seed(seed);
    let clock = Clock::default();
    clock.advance(Duration::from_secs(rng.u64(..100_000)));
    let now = || clock.now().as_nanos();
    isolated_with_clock(clock.read(), async {
        let cell = cell!(CircuitBreakerCell, CircuitBreakerSettings::new());
        let rules = rules(&mut rng);
        cell.change(&settings(json_of(&rules))).unwrap();
        let mut model = Model { rules, state: State::Closed, epoch: 0, ended: Vec::new(), running_probes: 0 };
        let mut running: Vec<Running> = Vec::new();
        // How often calls fail changes over time.
        let mut failing = 20;
        for step in 0..STEPS {
            match rng.u32(..1_000) {
                0..400 => {
                    let (ours, models) = (cell.begin(), model.admits(now()));
                    assert_eq!(ours.is_ok(), models, "step {step}, {}: {ours:?}", model.name());
                    if let Ok(call) = ours {
                        running.push(Running { epoch: model.epoch, began: now(), call });
                    }
                }
                400..850 if !running.is_empty() => {
                    let it = running.swap_remove(rng.usize(..running.len()));
                    let verdict = match rng.u32(..100) {
                        percent if percent < failing => Verdict::Failed,
                        percent if percent < 95 => Verdict::Good,
                        _ => Verdict::Ignored,
                    };
                    // What is dropped was cancelled.
                    if verdict != Verdict::Ignored || rng.bool() {
                        it.call.end(verdict);
                    }
                    model.end(it.epoch, it.began, verdict, now());
                }
                850..990 => {
                    let bits = rng.u32(10..33);
                    clock.advance(Duration::from_nanos(rng.u64(..1 << bits)));
                }
                990..995 => failing = rng.u32(..100),
                995..998 => {
                    let forced = [Forced::Open, Forced::Closed, Forced::Disabled][rng.usize(..3)];
                    let (forced, state) =
                        if rng.bool() { (forced, State::Held(forced)) } else { (Forced::Released, State::Closed) };
                    cell.force(forced).unwrap();
                    model.enter(state);
                }
                998.. => {
                    cell.clear();
                    let held = matches!(model.state, State::Held(_));
                    model.enter(if held { model.state } else { State::Closed });
                }
                _ => {}
            }
            // Not each time: who looks collects what threads have counted, and that is to happen late as well.
            if rng.u32(..5) == 0 {
                assert_eq!(cell.figures()["state"], model.name(), "step {step}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_circuit_does_what_the_model_does() {
    for seed in seeds(300) {
        compare(seed).await;
    }
}
