use super::{exceeded::Exceeded, rule::Rule};
use crate::domain::Moment;

/// What passed in one piece of time. Pieces are counted from the clock's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fixed {
    piece: u64,
    used: u32,
}

impl Fixed {
    pub(super) fn with(used: u32, rule: &Rule, now: Moment) -> Self {
        Self { piece: now.as_nanos() / rule.per, used: used.min(rule.most) }
    }

    pub(super) fn check(&mut self, rule: &Rule, cost: u32, now: Moment) -> Result<(), Exceeded> {
        self.advance(rule, now);
        if cost > rule.most {
            return Err(Exceeded::Always);
        }
        let fits = self.used.checked_add(cost).is_some_and(|it| it <= rule.most);
        if fits { Ok(()) } else { Err(Exceeded::Until(self.end(rule))) }
    }

    pub(super) fn add(&mut self, cost: u32) {
        self.used = self.used.saturating_add(cost);
    }

    pub(super) fn used(&self, rule: &Rule, now: Moment) -> u32 {
        if now.as_nanos() / rule.per > self.piece { 0 } else { self.used }
    }

    pub(super) fn over_at(&self, rule: &Rule) -> Moment {
        if self.used == 0 { Moment::default() } else { self.end(rule) }
    }

    pub(super) const fn give_back(&mut self, cost: u32) {
        self.used = self.used.saturating_sub(cost);
    }

    pub(super) const fn is_half_used(self, rule: &Rule) -> bool {
        self.used >= rule.half()
    }

    /// Until when how much can be taken without asking.
    pub(super) fn lease(&self, rule: &Rule) -> (Moment, u32) {
        (self.end(rule), rule.most.saturating_sub(self.used))
    }

    /// A clock that goes back stays in the piece that it had reached.
    fn advance(&mut self, rule: &Rule, now: Moment) {
        let piece = now.as_nanos() / rule.per;
        if piece > self.piece {
            *self = Self { piece, used: 0 };
        }
    }

    fn end(&self, rule: &Rule) -> Moment {
        Moment::from_nanos(self.piece.saturating_add(1).saturating_mul(rule.per))
    }
}
