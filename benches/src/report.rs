//! How figures are printed: one JSON line per case to standard output, notes for people to standard error.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this file is for")]

use serde::Serialize;

/// Which of two figures is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Better {
    /// The larger: a rate.
    More,
    /// The smaller: a time, a size.
    Less,
}

/// Our figure beside that of a peer, from the same run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Case {
    /// The suite, the measurement and the peer, with slashes between.
    pub case: String,
    /// Our figure.
    pub ours: f64,
    /// The peer's figure.
    pub peer: f64,
    /// Who the peer is.
    pub peer_name: String,
    /// How many times better ours is: above 1 it is better, below 1 the peer's.
    pub ratio: f64,
    /// What both figures are in.
    pub unit: String,
}

impl Case {
    /// Compares two figures.
    #[must_use]
    pub fn new(case: &str, ours: f64, (peer_name, peer): (&str, f64), unit: &str, better: Better) -> Self {
        let ratio = match better {
            Better::More => ours / peer,
            Better::Less => peer / ours,
        };
        let (case, peer_name, unit) = (case.to_owned(), peer_name.to_owned(), unit.to_owned());
        Self { case, ours: round(ours), peer: round(peer), peer_name, ratio: round(ratio), unit }
    }

    /// Prints it as one line of JSON.
    ///
    /// # Panics
    /// Standard output is closed.
    pub fn print(&self) {
        match serde_json::to_string(self) {
            Ok(line) => println!("{line}"),
            Err(error) => panic!("a case cannot be written: {error}"),
        }
    }
}

/// To four significant digits: no more are repeatable.
fn round(figure: f64) -> f64 {
    if figure == 0.0 || !figure.is_finite() {
        return figure;
    }
    let digits = 3 - figure.abs().log10().floor() as i32;
    if digits >= 0 {
        let scale = 10_f64.powi(digits);
        (figure * scale).round() / scale
    } else {
        let scale = 10_f64.powi(-digits);
        (figure / scale).round() * scale
    }
}

/// Says something to people.
pub fn note(text: &str) {
    eprintln!("{text}");
}
