use crate::ports::Definition;

/// A definition as the linker collects it.
#[derive(Clone, Copy, Debug)]
pub struct Registration(&'static Definition);

impl Registration {
    /// Registers `definition`. Called by generated code.
    #[must_use]
    pub const fn new(definition: &'static Definition) -> Self {
        Self(definition)
    }
}

inventory::collect!(Registration);

/// Every definition that is linked into this program, by name and place.
#[must_use]
pub fn linked() -> Vec<&'static Definition> {
    let mut all: Vec<_> = inventory::iter::<Registration>.into_iter().map(|it| it.0).collect();
    all.sort_by_key(|it| (it.name, it.file, it.line));
    all
}
