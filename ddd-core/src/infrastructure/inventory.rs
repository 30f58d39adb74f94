use crate::ports::{Definition, Policy};

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

/// A function policy as the linker collects it.
#[derive(Clone, Copy, Debug)]
pub struct PolicyRegistration(&'static dyn Policy);

impl PolicyRegistration {
    /// Registers `policy`. Called by generated code.
    #[must_use]
    pub const fn new(policy: &'static dyn Policy) -> Self {
        Self(policy)
    }
}

inventory::collect!(PolicyRegistration);

/// Every function policy that is linked into this program, by name, place and order of nesting.
#[must_use]
pub(crate) fn linked_policies() -> Vec<&'static dyn Policy> {
    let mut all: Vec<_> = inventory::iter::<PolicyRegistration>.into_iter().map(|it| it.0).collect();
    all.sort_by_key(|it| (it.site().name, it.site().file, it.site().line, it.site().position));
    all
}
