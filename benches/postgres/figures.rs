//! From the samples of all sides to the lines that are printed.

use ddd_benches::{Arguments, Better, Case, note};

use super::side::{Sample, Side};

/// From all samples of a side, if they hold it.
pub(crate) type Taken = Box<dyn Fn(&[Sample]) -> Option<f64>>;

/// One figure of a work.
pub(crate) struct Figure {
    /// What its cases are called, before the name of the other side.
    pub(crate) case: String,
    /// What both figures are in.
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
    pub(crate) of: Taken,
}

impl Figure {
    /// The name of the case beside this side.
    pub(crate) fn beside(&self, side: Side) -> String {
        format!("{}/{}", self.case, side.name())
    }

    /// Prints ours beside each of the others that is selected, and all sides for people.
    pub(crate) fn print(&self, arguments: &Arguments, sides: &[(Side, Vec<Sample>)]) {
        let figures: Vec<_> = sides.iter().filter_map(|it| Some((it.0, (self.of)(&it.1)?))).collect();
        let words: Vec<_> = figures.iter().map(|(side, figure)| format!("{} {figure:.1}", side.name())).collect();
        note(&format!("{} ({}): {}", self.case, self.unit, words.join(", ")));
        let Some((_, ours)) = figures.iter().find(|it| it.0 == Side::Ours) else { return };
        for (side, figure) in figures.iter().filter(|it| it.0 != Side::Ours) {
            let case = self.beside(*side);
            if arguments.selects(&case) {
                Case::new(&case, *ours, (side.name(), *figure), self.unit, self.better).print();
            }
        }
    }
}
