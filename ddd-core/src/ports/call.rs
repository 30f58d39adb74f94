use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
    sync::Arc,
};

use serde_json::value::RawValue;

use super::{Failure, TaskContext};
use crate::domain::FailureKind;

/// What a body is called with: its parameters as stored, its context, and what it needs from the application.
#[derive(Debug)]
#[non_exhaustive]
pub struct Call {
    params: Arc<RawValue>,
    context: TaskContext,
    dependencies: Dependencies,
}

impl Call {
    /// A call.
    #[must_use]
    pub const fn new(params: Arc<RawValue>, context: TaskContext, dependencies: Dependencies) -> Self {
        Self { params, context, dependencies }
    }

    /// The parameters, as they are stored.
    #[must_use]
    pub fn params(&self) -> &RawValue {
        &self.params
    }

    /// What the application provides of type `T`; or the [`TaskContext`].
    ///
    /// # Errors
    /// It provides none. The wiring check at start-up finds that before any task runs.
    pub fn dependency<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, Failure> {
        if TypeId::of::<T>() == TypeId::of::<TaskContext>() {
            let context: Arc<dyn Any + Send + Sync> = Arc::new(self.context.clone());
            if let Ok(context) = context.downcast() {
                return Ok(context);
            }
        }
        self.dependencies.get().ok_or_else(|| {
            Failure::permanent(FailureKind::Dependency, format!("nothing provides a `{}`", type_name::<T>()))
        })
    }
}

/// What an application provides, by type.
#[derive(Clone, Default)]
pub struct Dependencies(Option<Arc<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl Dependencies {
    /// These values, each under its type.
    #[must_use]
    pub fn new(values: HashMap<TypeId, Arc<dyn Any + Send + Sync>>) -> Self {
        Self((!values.is_empty()).then(|| Arc::new(values)))
    }

    /// The value of type `T`.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.as_ref()?.get(&TypeId::of::<T>())?.clone().downcast().ok()
    }

    /// Whether there is a value of this type.
    #[must_use]
    pub fn contains(&self, type_id: TypeId) -> bool {
        self.0.as_ref().is_some_and(|it| it.contains_key(&type_id))
    }

    /// These, and `more`.
    #[must_use]
    pub fn with(&self, more: impl IntoIterator<Item = (TypeId, Arc<dyn Any + Send + Sync>)>) -> Self {
        let mut values = self.0.as_deref().cloned().unwrap_or_default();
        values.extend(more);
        Self::new(values)
    }
}

impl fmt::Debug for Dependencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dependencies({})", self.0.as_ref().map_or(0, |it| it.len()))
    }
}
