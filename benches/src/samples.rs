//! From single samples to figures.

/// Takes one sample from each source in turn, `rounds` times, so that whatever else the machine does meets all of them
/// alike. Each round begins with another source: none is always first. Answers with the samples by source.
pub fn interleave<T>(rounds: usize, sources: &mut [Box<dyn FnMut() -> T + '_>]) -> Vec<Vec<T>> {
    let mut samples: Vec<Vec<T>> = sources.iter().map(|_| Vec::with_capacity(rounds)).collect();
    for round in 0..rounds {
        for turn in 0..sources.len() {
            let source = (round + turn) % sources.len();
            samples[source].push(sources[source]());
        }
    }
    samples
}

/// The middle of `samples`, or the mean of the two in the middle.
///
/// # Panics
/// There is no sample.
#[must_use]
pub fn median(samples: impl IntoIterator<Item = f64>) -> f64 {
    let sorted = sort(samples);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// The smallest sample that at least `percent` of all do not exceed.
///
/// # Panics
/// There is no sample.
#[must_use]
pub fn percentile(samples: impl IntoIterator<Item = f64>, percent: usize) -> f64 {
    let sorted = sort(samples);
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

fn sort(samples: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<_> = samples.into_iter().collect();
    assert!(!sorted.is_empty(), "there is no sample");
    sorted.sort_by(f64::total_cmp);
    sorted
}
