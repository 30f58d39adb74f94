//! What a call needs to know of a circuit, in one word that it reads without a lock.

use crate::domain::{Circuit, CircuitState, Window};

/// How a circuit stood at some moment: its generation above, what holds for calls below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(u64);

/// Calls begin without a look at the circuit, and good ones are counted by their thread.
const CLOSED: u64 = 1;
/// Calls begin, and nothing is counted.
const DISABLED: u64 = 2;
/// Calls are refused until a certain moment.
const OPEN: u64 = 4;
/// The window is one of time.
const TIMED: u64 = 8;
/// The length of calls matters.
const WATCHED: u64 = 16;

/// Slices have so many bits in a label.
const SLICE_BITS: u32 = 24;
const SLICES: u64 = 1 << SLICE_BITS;

impl Word {
    pub(super) fn of(circuit: &Circuit) -> Self {
        let standing = match circuit.state() {
            CircuitState::Closed | CircuitState::ForcedClosed => CLOSED,
            CircuitState::Open | CircuitState::ForcedOpen => OPEN,
            CircuitState::Disabled => DISABLED,
            _ => 0,
        };
        let settings = circuit.settings();
        let timed = if matches!(settings.window, Window::Time(_)) { TIMED } else { 0 };
        let watched = if settings.slow_call.is_some() { WATCHED } else { 0 };
        Self((u64::from(circuit.generation()) << 32) | standing | timed | watched)
    }

    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    pub(super) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(super) const fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    pub(super) const fn is_disabled(self) -> bool {
        self.0 & DISABLED != 0
    }

    pub(super) const fn is_open(self) -> bool {
        self.0 & OPEN != 0
    }

    pub(super) const fn is_timed(self) -> bool {
        self.0 & TIMED != 0
    }

    pub(super) const fn is_watched(self) -> bool {
        self.0 & WATCHED != 0
    }

    /// The label of good calls in this slice: the lower parts of generation and slice.
    pub(super) const fn label(self, slice: u64) -> u64 {
        ((self.generation() as u64 & 0xffff) << SLICE_BITS) | (slice % SLICES)
    }

    /// Whether calls of this label are of this generation.
    pub(super) const fn is_of(self, label: u64) -> bool {
        label >> SLICE_BITS == self.generation() as u64 & 0xffff
    }
}

/// The slice of a label: the one next to `now` whose lower part it is. It may be a little later, where another thread's
/// clock was read later.
pub(super) const fn slice_of(label: u64, now: u64) -> u64 {
    let ahead = label.wrapping_sub(now) % SLICES;
    if ahead < SLICES / 2 { now.saturating_add(ahead) } else { now.saturating_sub(SLICES - ahead) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slice_of_a_label_is_the_one_next_to_now() {
        for now in [0, 1, 59, SLICES - 1, SLICES, SLICES + 1, 5 * SLICES + 17] {
            for slice in now.saturating_sub(1_000)..now + 1_000 {
                assert_eq!(slice_of(slice % SLICES, now), slice, "at {now}");
            }
        }
    }
}
