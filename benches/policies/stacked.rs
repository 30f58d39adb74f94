//! Several policies on one function cost no more, over the bare call, than each of them does on a function of its own.

use std::hint::black_box;

use ddd_benches::{Arguments, Better, Case};
use ddd_core::{Refused, bulkhead, circuit_breaker, rate_limited, retry, timeout};
use tokio::runtime::Runtime;

use super::frame::{Contender, Group, Threads};

const STACKED: Group = Group { name: "stacked", contenders };

type Outcome = Result<u64, Refused>;

#[rate_limited(4_000_000_000, per = "1s")]
#[retry(3)]
#[circuit_breaker]
#[timeout("10s")]
#[bulkhead(1_000)]
async fn stacked(number: u64) -> Outcome {
    Ok(black_box(number))
}

async fn bare(number: u64) -> Outcome {
    Ok(black_box(number))
}

#[rate_limited(4_000_000_000, per = "1s")]
async fn limited(number: u64) -> Outcome {
    Ok(black_box(number))
}

#[retry(3)]
async fn retried(number: u64) -> Outcome {
    Ok(black_box(number))
}

#[circuit_breaker]
async fn guarded(number: u64) -> Outcome {
    Ok(black_box(number))
}

#[timeout("10s")]
async fn timed(number: u64) -> Outcome {
    Ok(black_box(number))
}

#[bulkhead(1_000)]
async fn held(number: u64) -> Outcome {
    Ok(black_box(number))
}

/// The stack, the bare call, and the parts.
fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("ours", stacked),
        Contender::new("bare", bare),
        Contender::new("rate_limited", limited),
        Contender::new("retry", retried),
        Contender::new("circuit_breaker", guarded),
        Contender::new("timeout", timed),
        Contender::new("bulkhead", held),
    ]
}

fn case(threads: Threads) -> String {
    format!("policies/{}/{threads}/sum_of_parts", STACKED.name)
}

pub(crate) fn cases() -> Vec<String> {
    Threads::ALL.map(case).to_vec()
}

/// What the stack costs over the bare call, beside what its parts cost over it together.
pub(crate) fn run(runtime: &Runtime, arguments: &Arguments) {
    for threads in Threads::ALL {
        let case = case(threads);
        if !arguments.selects(&case) || arguments.solo.is_some() {
            continue;
        }
        let medians = STACKED.measure(runtime, threads, &contenders(), arguments.rounds);
        if medians.iter().any(|it| it.is_nan()) {
            continue;
        }
        let over = |it: &f64| it - medians[1];
        let sum = medians[2..].iter().map(over).sum();
        Case::new(&case, over(&medians[0]), ("sum_of_parts", sum), "ns/call", Better::Less).print();
    }
}
