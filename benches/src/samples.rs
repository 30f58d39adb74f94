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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{interleave, median, percentile};

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert_eq!(median([9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median([4.0, 1.0, 2.0, 9.0]), 3.0);
    }

    #[test]
    fn percentiles_are_samples() {
        let samples = || (1..=200).map(f64::from);
        assert_eq!(percentile(samples(), 50), 100.0);
        assert_eq!(percentile(samples(), 99), 198.0);
        assert_eq!(percentile([7.0], 50), 7.0);
    }

    #[test]
    fn sources_take_turns_and_each_is_first_once() {
        let order = RefCell::new(Vec::new());
        let samples = interleave(
            2,
            &mut [
                Box::new(|| {
                    order.borrow_mut().push('a');
                    1
                }),
                Box::new(|| {
                    order.borrow_mut().push('b');
                    2
                }),
            ],
        );
        assert_eq!(samples, [[1, 1], [2, 2]]);
        assert_eq!(*order.borrow(), ['a', 'b', 'b', 'a']);
    }
}
