//! Good calls that threads count for a circuit breaker: none is lost, none counts twice, none counts in a later generation.

use loom::{
    model,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use good_calls::GoodCalls;

#[path = "../../ddd-core/src/application/policies/circuit_breaker/good_calls.rs"]
mod good_calls;

/// What a circuit needs of them.
trait Counts: Send + Sync + 'static {
    fn new() -> Self;
    fn add(&self, label: u64) -> bool;
    fn take(&self) -> (u64, u64);
}

impl Counts for GoodCalls {
    fn new() -> Self {
        Self::new()
    }

    fn add(&self, label: u64) -> bool {
        self.add(label)
    }

    fn take(&self) -> (u64, u64) {
        self.take()
    }
}

/// A version with a gap between looking and writing.
struct Racy(AtomicU64);

impl Counts for Racy {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    fn add(&self, _label: u64) -> bool {
        let count = self.0.load(Ordering::SeqCst);
        self.0.store(count + 1, Ordering::SeqCst);
        true
    }

    fn take(&self) -> (u64, u64) {
        (0, self.0.swap(0, Ordering::SeqCst))
    }
}

/// A version whose counts do not say to which generation they belong.
struct Unlabelled(AtomicU64);

impl Counts for Unlabelled {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    fn add(&self, _label: u64) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst);
        true
    }

    fn take(&self) -> (u64, u64) {
        (u64::MAX, self.0.swap(0, Ordering::SeqCst))
    }
}

/// Two threads that share a lane, and one that collects it meanwhile.
fn none_is_lost<C: Counts>() {
    model(|| {
        let counts = Arc::new(C::new());
        let adders: Vec<_> = (0..2)
            .map(|_| {
                let counts = counts.clone();
                thread::spawn(move || assert!(counts.add(7)))
            })
            .collect();
        let (label, early) = counts.take();
        assert!(early == 0 || label == 7 || label == 0);
        adders.into_iter().for_each(|it| it.join().unwrap());
        assert_eq!(early + counts.take().1, 2);
    });
}

/// The generation of a circuit, and what is counted in it, as the circuit breaker has them.
struct Circuit<C> {
    generation: AtomicU64,
    counts: C,
    window: Mutex<u64>,
    figure: AtomicU64,
}

impl<C: Counts> Circuit<C> {
    /// Called under the lock.
    fn collect(&self, window: &mut u64) {
        let (label, calls) = self.counts.take();
        self.figure.fetch_add(calls, Ordering::Relaxed);
        if label == self.generation.load(Ordering::Relaxed) || label == u64::MAX {
            *window += calls;
        }
    }

    fn end_well(&self, begun: u64) {
        let generation = self.generation.load(Ordering::Acquire);
        if generation != begun || !self.counts.add(generation) {
            // As the circuit breaker does where there is no room, or the call is of an earlier generation.
            let mut window = self.window.lock().unwrap();
            self.figure.fetch_add(1, Ordering::Relaxed);
            self.collect(&mut window);
            *window += u64::from(begun == self.generation.load(Ordering::Relaxed));
        }
    }

    fn enter(&self) {
        let mut window = self.window.lock().unwrap();
        self.collect(&mut window);
        *window = 0;
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// A call of the first generation ends while the circuit enters the second one, in which another call begins and ends.
fn none_counts_later<C: Counts>() {
    model(|| {
        let circuit = Arc::new(Circuit {
            generation: AtomicU64::new(1),
            counts: C::new(),
            window: Mutex::new(0),
            figure: AtomicU64::new(0),
        });
        let early = {
            let circuit = circuit.clone();
            thread::spawn(move || circuit.end_well(1))
        };
        circuit.enter();
        circuit.end_well(2);
        early.join().unwrap();
        let mut window = circuit.window.lock().unwrap();
        circuit.collect(&mut window);
        assert_eq!((*window, circuit.figure.load(Ordering::Relaxed)), (1, 2));
    });
}

#[test]
fn no_good_call_is_lost_or_counted_twice() {
    none_is_lost::<GoodCalls>();
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn the_model_finds_a_gap_between_looking_and_writing() {
    none_is_lost::<Racy>();
}

#[test]
fn no_good_call_counts_in_a_later_generation() {
    none_counts_later::<GoodCalls>();
}

#[test]
#[should_panic(expected = "assertion `left == right` failed")]
fn the_model_finds_counts_without_a_generation() {
    none_counts_later::<Unlabelled>();
}
