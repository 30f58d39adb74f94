//! What an application provides to the bodies of its tasks.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
    sync::Arc,
    time::Duration,
};

use tokio::time::timeout;

use super::guard;
use crate::{
    domain::FailureKind,
    ports::{BoxError, BoxFuture, Definition, Dependencies, Failure, TaskContext},
};

type Value = Arc<dyn Any + Send + Sync>;
type Make<T> = dyn Fn(TaskContext) -> BoxFuture<'static, Result<T, BoxError>> + Send + Sync;
type Teardown<T> = dyn Fn(Arc<T>) -> BoxFuture<'static, ()> + Send + Sync;

/// A recipe for a dependency that is made anew for each attempt, and taken down when the attempt ends.
///
/// ```
/// use ddd_core::{Factory, TaskContext};
///
/// struct Workspace(std::path::PathBuf);
///
/// let factory = Factory::new(|context: TaskContext| async move {
///     let path = std::env::temp_dir().join(context.id().to_string());
///     tokio::fs::create_dir_all(&path).await?;
///     Ok(Workspace(path))
/// })
/// .teardown(|workspace| async move {
///     let _ = tokio::fs::remove_dir_all(&workspace.0).await;
/// });
/// # let _: Factory<Workspace> = factory;
/// # mod tokio { pub mod fs {
/// #     pub async fn create_dir_all(_: &std::path::Path) -> std::io::Result<()> { Ok(()) }
/// #     pub async fn remove_dir_all(_: &std::path::Path) -> std::io::Result<()> { Ok(()) }
/// # } }
/// ```
pub struct Factory<T> {
    make: Box<Make<T>>,
    teardown: Option<Box<Teardown<T>>>,
}

impl<T: Send + Sync + 'static> Factory<T> {
    /// Made by `make` before the body starts. An error fails the attempt.
    pub fn new<F>(make: impl Fn(TaskContext) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<T, BoxError>> + Send + 'static,
    {
        Self { make: Box::new(move |context| Box::pin(make(context))), teardown: None }
    }

    /// Taken down by `teardown` after the attempt, however it ended. The attempt's end is recorded first; its slot is free
    /// when this has ended, or is dropped because it took longer than
    /// [`Settings::teardown_timeout`](crate::Settings::teardown_timeout).
    #[must_use]
    pub fn teardown<F>(mut self, teardown: impl Fn(Arc<T>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.teardown = Some(Box::new(move |value| Box::pin(teardown(value))));
        self
    }
}

impl<T> fmt::Debug for Factory<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Factory<{}>", type_name::<T>())
    }
}

/// A factory whose type is forgotten.
trait Recipe: Send + Sync {
    fn make(&self, context: TaskContext) -> BoxFuture<'static, Result<Value, BoxError>>;
    fn teardown(&self, value: Value) -> Option<BoxFuture<'static, ()>>;
}

impl<T: Send + Sync + 'static> Recipe for Factory<T> {
    fn make(&self, context: TaskContext) -> BoxFuture<'static, Result<Value, BoxError>> {
        let made = (self.make)(context);
        Box::pin(async move { Ok(Arc::new(made.await?) as Value) })
    }

    fn teardown(&self, value: Value) -> Option<BoxFuture<'static, ()>> {
        Some(self.teardown.as_ref()?(value.downcast().ok()?))
    }
}

/// All that an application provides.
#[derive(Default)]
pub(crate) struct Providers {
    values: HashMap<TypeId, Value>,
    shared: Dependencies,
    recipes: HashMap<TypeId, Arc<dyn Recipe>>,
    problems: Vec<String>,
}

impl Providers {
    /// Provides a value.
    pub(crate) fn value<T: Send + Sync + 'static>(&mut self, value: T) {
        if self.values.insert(TypeId::of::<T>(), Arc::new(value)).is_some() || self.has_recipe::<T>() {
            self.problems.push(twice::<T>());
        }
        self.shared = Dependencies::new(self.values.clone());
    }

    /// Provides a value that is made for each attempt.
    pub(crate) fn factory<T: Send + Sync + 'static>(&mut self, factory: Factory<T>) {
        if self.recipes.insert(TypeId::of::<T>(), Arc::new(factory)).is_some()
            || self.values.contains_key(&TypeId::of::<T>())
        {
            self.problems.push(twice::<T>());
        }
    }

    /// The same, unless there is one of this type.
    pub(crate) fn factory_unless_provided<T: Send + Sync + 'static>(&mut self, factory: Factory<T>) {
        if !self.has_recipe::<T>() && !self.values.contains_key(&TypeId::of::<T>()) {
            self.factory(factory);
        }
    }

    fn has_recipe<T: 'static>(&self) -> bool {
        self.recipes.contains_key(&TypeId::of::<T>())
    }

    /// What is wrong with what is provided, given what the definitions need.
    pub(crate) fn problems<'a>(&self, definitions: impl Iterator<Item = &'a Definition>) -> Vec<String> {
        let mut problems = self.problems.clone();
        for definition in definitions {
            for dependency in definition.dependencies {
                let type_id = (dependency.type_id)();
                let known = type_id == TypeId::of::<TaskContext>()
                    || self.values.contains_key(&type_id)
                    || self.recipes.contains_key(&type_id);
                if !known {
                    problems.push(format!(
                        "task `{}` at {} needs `{}: {}`, which nothing provides; add `.provide(…)` with such a value to the builder",
                        definition.name,
                        definition.place(),
                        dependency.param,
                        (dependency.type_name)(),
                    ));
                }
            }
        }
        problems
    }

    /// What `definition` needs from recipes; `None` if nothing.
    pub(crate) fn recipes_for(&self, definition: &Definition) -> Option<Needed> {
        if self.recipes.is_empty() || definition.dependencies.is_empty() {
            return None;
        }
        let ids = definition.dependencies.iter().map(|it| ((it.type_id)(), (it.type_name)()));
        let needed: Vec<_> = ids.filter_map(|(id, name)| Some((id, name, self.recipes.get(&id)?.clone()))).collect();
        (!needed.is_empty()).then(|| Needed { recipes: needed, made: Vec::new() })
    }

    /// The values that need no making.
    pub(crate) fn shared(&self) -> Dependencies {
        self.shared.clone()
    }
}

fn twice<T>() -> String {
    format!("`{}` is provided twice; provide each type once, or wrap one in a type of its own", type_name::<T>())
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Providers({} values, {} factories)", self.values.len(), self.recipes.len())
    }
}

/// What one attempt needs from recipes, and what was made of it.
#[derive(Default)]
pub(crate) struct Needed {
    recipes: Vec<(TypeId, &'static str, Arc<dyn Recipe>)>,
    made: Vec<(Arc<dyn Recipe>, Value)>,
}

impl Needed {
    /// Makes all of it, in the order of the parameters.
    ///
    /// # Errors
    /// A recipe failed; what was made before is still to be taken down.
    pub(crate) async fn make(&mut self, shared: &Dependencies, context: &TaskContext) -> Result<Dependencies, Failure> {
        let mut values = Vec::with_capacity(self.recipes.len());
        for (type_id, name, recipe) in &self.recipes {
            let value = recipe.make(context.clone()).await.map_err(|error| {
                let mut failure = Failure::of_error(&*error);
                failure.kind = FailureKind::Dependency;
                failure.message = format!("cannot make `{name}`: {}", failure.message);
                failure
            })?;
            self.made.push((recipe.clone(), value.clone()));
            values.push((*type_id, value));
        }
        Ok(shared.with(values))
    }

    /// Takes down what was made, last first, each within `limit`. A panic in one does not keep the others from it.
    pub(crate) async fn teardown(self, limit: Duration) {
        for (recipe, value) in self.made.into_iter().rev() {
            match guard::run(move || Ok(recipe.teardown(value))) {
                Ok(Some(teardown)) => {
                    if timeout(limit, guard::Contained::new(teardown)).await.is_err() {
                        tracing::error!(
                            "a factory's value was not taken down within {limit:?}; the teardown was dropped"
                        );
                    }
                }
                Ok(None) => {}
                Err(failure) => tracing::error!("a factory's value could not be taken down: it {}", failure.message),
            }
        }
    }
}
