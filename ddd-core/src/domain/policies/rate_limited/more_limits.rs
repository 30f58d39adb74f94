use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::duration_serde::text;

/// So much per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::exhaustive_structs, reason = "a limit per period is just that")]
pub struct Limit {
    /// How much.
    pub limit: u32,
    /// The period.
    #[serde(with = "text")]
    pub per: Duration,
}

/// Limits that hold beside the first one: up to three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Limit>", into = "Vec<Limit>")]
pub struct MoreLimits([Option<Limit>; Self::MOST]);

impl MoreLimits {
    /// How many there can be.
    pub const MOST: usize = 3;

    /// None.
    #[must_use]
    pub const fn none() -> Self {
        Self([None; Self::MOST])
    }

    /// One more. What is over [`MoreLimits::MOST`] takes the place of the last one.
    #[must_use]
    pub const fn with(mut self, limit: Limit) -> Self {
        let mut place = 0;
        while place < Self::MOST - 1 && self.0[place].is_some() {
            place += 1;
        }
        self.0[place] = Some(limit);
        self
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Limit> {
        self.0.iter().flatten().copied()
    }
}

impl TryFrom<Vec<Limit>> for MoreLimits {
    type Error = String;

    fn try_from(limits: Vec<Limit>) -> Result<Self, String> {
        if limits.len() > Self::MOST {
            return Err(format!("there are {} limits beside the first; write at most {}", limits.len(), Self::MOST));
        }
        Ok(limits.into_iter().fold(Self::none(), Self::with))
    }
}

impl From<MoreLimits> for Vec<Limit> {
    fn from(limits: MoreLimits) -> Self {
        limits.iter().collect()
    }
}
