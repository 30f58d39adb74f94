//! Who stays when there is no room for all.

#![allow(clippy::print_stdout, reason = "the figure is what the test is for")]

use std::convert::Infallible;

use ddd_core::{__private::policies::CachedSettings, testing::isolated};
use futures_util::FutureExt;

use super::rules::Plain;
use crate::{
    cell,
    support::{Seed, figure, seeds},
};

const KEYS: usize = 100_000;
const CAPACITY: u64 = KEYS as u64 / 100;
const CALLS: usize = 400_000;

/// Keys as they are asked for in practice: the n-th most popular one n^0.9 times more seldom than the first.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new() -> Self {
        let mut sum = 0.0;
        Self(
            (1..=KEYS)
                .map(|rank| {
                    sum += (rank as f64).powf(-0.9);
                    sum
                })
                .collect(),
        )
    }

    fn draw(&self, rng: &mut fastrand::Rng) -> u64 {
        let point = rng.f64() * self.0[KEYS - 1];
        // Popular keys are no neighbours.
        (self.0.partition_point(|it| *it < point) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[tokio::test]
async fn as_many_hits_as_the_bounded_store_alone() {
    let cell = cell!(CachedCell, CachedSettings::new().capacity(CAPACITY));
    let zipf = Zipf::new();
    for seed in seeds(1) {
        let _seed = Seed(seed);
        let alone = moka::sync::Cache::builder().max_capacity(CAPACITY).build();
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut hits = 0;
        isolated(async {
            for call in 0..2 * CALLS {
                if call == CALLS {
                    // Warm by now.
                    ddd_core::ports::Policy::reset(cell);
                    hits = 0;
                }
                let key = zipf.draw(&mut rng);
                if alone.get(&key).is_some() {
                    hits += 1;
                } else {
                    alone.insert(key, key);
                }
                let make = move || async move { Ok::<_, Infallible>(key) };
                cell.fill(key, Plain, make).now_or_never().expect("it is ready").unwrap();
            }
            let ours = figure(cell, "hits") as f64 / CALLS as f64;
            let theirs = hits as f64 / CALLS as f64;
            println!("hit ratio {ours:.4}, moka alone {theirs:.4}");
            assert!(ours >= theirs - 0.01, "hit ratio {ours:.4}, moka alone {theirs:.4}");
        })
        .await;
    }
}
