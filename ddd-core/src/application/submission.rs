//! How a task gets into the store.

use std::{fmt, future::IntoFuture, marker::PhantomData, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    handle::TaskHandle,
    prepare::{Prepared, complete, prepare_named, prepare_typed},
    seat::Seat,
    services::Services,
    store_call,
    submit_error::SubmitError,
    submitting::Submitting,
};
use crate::{
    domain::{IdempotencyKey, IntoDuration, Name, Origin, Priority, Timestamp},
    ports::{Due, Enlist, EnlistNow, Enqueued, NewTask, StoreError, StoreFuture, Task},
};

/// A task about to be submitted: set what differs, and await it.
///
/// What is set here beats configuration, which beats the attribute, which beats the defaults.
#[must_use = "a submission does nothing until it is awaited"]
pub struct Submission<O> {
    services: Arc<Services>,
    prepared: Result<Prepared, SubmitError>,
    output: PhantomData<fn() -> O>,
}

impl<O: DeserializeOwned + Send + 'static> Submission<O> {
    /// With this priority: a [`Priority`], or a number from -10 to 10.
    pub fn priority<P: TryInto<Priority>>(self, priority: P) -> Self
    where
        P::Error: fmt::Display,
    {
        self.set(priority.try_into(), |it, priority| it.task.priority = priority)
    }

    /// Into this queue. One that no definition and no setting of this program names is warned of once, and taken: another
    /// process may serve it.
    pub fn queue(self, queue: impl Into<Name>) -> Self {
        let queue = queue.into();
        if Name::check(&queue).is_ok() {
            self.services.known_queues.notice(&queue);
        }
        self.set(named("queue", queue), |it, queue| it.task.queue = queue)
    }

    /// Due after this long: a [`Duration`], or a text such as `"5m"`.
    pub fn delay(self, delay: impl IntoDuration) -> Self {
        self.set(delay.into_duration(), |it, delay| it.task.due = Due::In(delay))
    }

    /// Due at this time.
    pub fn run_at(self, at: Timestamp) -> Self {
        self.with(|it| it.task.due = Due::At(at))
    }

    /// Unique under this key among the tasks of its definition, until the run ends unless the attribute says otherwise.
    pub fn unique_key(self, key: impl Into<String>) -> Self {
        let key = key.into();
        self.with(|it| it.set_unique(&key))
    }

    /// Done once under this key: an [`IdempotencyKey`], or the text of one. A caller that does not know whether its submission
    /// arrived says it again with the same key, and gets the same task; with other content it gets
    /// [`SubmitError::KeyReused`].
    pub fn idempotency_key(self, key: impl Into<IdempotencyKey>) -> Self {
        let key = key.into();
        self.set(key.check().map(|()| key.clone()), |it, key| it.task.idempotency = Some(Box::new(key)))
    }

    /// One attempt may take this long: a [`Duration`], or a text such as `"30s"`.
    pub fn timeout(self, timeout: impl IntoDuration) -> Self {
        let timeout = timeout.into_duration().map_err(|it| it.to_string()).and_then(|it| match it {
            Duration::ZERO => Err("the timeout is zero; write at least 1ms".to_owned()),
            it => Ok(it),
        });
        self.set(timeout, |it, timeout| it.task.timeout = timeout)
    }

    /// At most so many attempts, the first run counted.
    pub fn max_attempts(self, max_attempts: u32) -> Self {
        let checked = match max_attempts {
            0 => Err("max_attempts is 0; the first run counts, so write at least 1"),
            _ => Ok(max_attempts),
        };
        self.set(checked, |it, max_attempts| it.task.max_attempts = max_attempts)
    }

    /// With these tags, besides those of its definition.
    pub fn tags<T: Into<Name>>(self, tags: impl IntoIterator<Item = T>) -> Self {
        let tags: Result<Vec<_>, _> = tags.into_iter().map(|it| named("tag", it.into())).collect();
        self.set(tags, |it, tags| it.label_mut().tags.extend(tags))
    }

    /// With this origin: a request id, a trace context, an owner. What it leaves out, a task that a body submits has from
    /// the body's own task, which is its parent.
    pub fn origin(self, origin: Origin) -> Self {
        self.with(|it| {
            let label = it.label_mut();
            label.origin = origin.or(std::mem::take(&mut label.origin));
        })
    }

    /// Submits it through the user's own connection or transaction: the task exists if and only if that commits.
    ///
    /// A store that does not learn of the commit, as that in PostgreSQL, tells no transition of the submission; those of the attempts
    /// are told.
    ///
    /// # Errors
    /// As for awaiting the submission; and [`SubmitError::OtherStore`] if the connection does not lead to the application's store.
    pub async fn within<C: Enlist + ?Sized>(self, connection: &mut C) -> Result<TaskHandle<O>, SubmitError> {
        let ready = self.ready()?;
        let answers = connection.enlist_in(&ready.services.store.place(), vec![ready.task.clone()]).await?;
        ready.answered(answers)
    }

    /// The same for a connection that does not await.
    ///
    /// # Errors
    /// As for [`Submission::within`].
    pub fn enlist<C: EnlistNow + ?Sized>(self, connection: &C) -> Result<TaskHandle<O>, SubmitError> {
        let ready = self.ready()?;
        let answers = connection.enlist_in(&ready.services.store.place(), vec![ready.task.clone()])?;
        ready.answered(answers)
    }

    fn with(mut self, change: impl FnOnce(&mut Prepared)) -> Self {
        if let Ok(prepared) = &mut self.prepared {
            change(prepared);
        }
        self
    }

    /// Sets an option, if it is one; the first that is not is what the submission yields.
    fn set<T>(mut self, option: Result<T, impl fmt::Display>, change: impl FnOnce(&mut Prepared, T)) -> Self {
        if let Ok(prepared) = &mut self.prepared {
            match option {
                Ok(option) => change(prepared, option),
                Err(problem) => self.prepared = Err(SubmitError::InvalidOption(problem.to_string())),
            }
        }
        self
    }

    fn ready(self) -> Result<Ready<O>, SubmitError> {
        let services = self.services;
        let seat = Arc::new(Seat::default());
        let mut task = self.prepared?.task;
        complete(&mut task, &services, &seat, services.clock.now());
        Ok(Ready { services, task, seat, output: PhantomData })
    }
}

/// A name that may be one.
fn named(what: &str, name: Name) -> Result<Name, String> {
    match Name::check(&name) {
        Ok(()) => Ok(name),
        Err(problem) => Err(format!("{what} `{name}`: {problem}")),
    }
}

/// A task that is complete, and will be a handle.
struct Ready<O> {
    services: Arc<Services>,
    task: NewTask,
    seat: Arc<Seat>,
    output: PhantomData<fn() -> O>,
}

impl<O: DeserializeOwned + Send + 'static> Ready<O> {
    fn answered(self, answers: Vec<Enqueued>) -> Result<TaskHandle<O>, SubmitError> {
        let answer = answers.into_iter().next();
        answered(TaskHandle::new(self.services, self.task.id, self.seat), &self.task.queue, Ok(answer))
    }
}

fn finish<O: DeserializeOwned + Send + 'static>(
    handle: TaskHandle<O>,
    queue: &Name,
    answer: &Enqueued,
) -> Result<TaskHandle<O>, SubmitError> {
    match answer {
        Enqueued::Created(status) => Ok(handle.stored_as(*status)),
        Enqueued::AlreadyCreated => Ok(handle),
        Enqueued::Duplicate(id) => Ok(handle.instead(*id)),
        Enqueued::Replayed { id, status } => Ok(handle.replayed(*id, *status)),
        Enqueued::KeyReused => Err(SubmitError::KeyReused),
        Enqueued::Full { retry_after } => {
            Err(SubmitError::QueueFull { queue: queue.clone(), retry_after: *retry_after })
        }
    }
}

impl<O: DeserializeOwned + Send + 'static> IntoFuture for Submission<O> {
    type Output = Result<TaskHandle<O>, SubmitError>;
    type IntoFuture = Submitting<O>;

    fn into_future(self) -> Submitting<O> {
        let Self { services, prepared, .. } = self;
        let mut task = None;
        let completed = match prepared {
            Ok(prepared) => task.insert(prepared.task),
            Err(error) => return Submitting::done(Err(error)),
        };
        let now = services.clock.now();
        let seat = Arc::new(Seat::default());
        complete(completed, &services, &seat, now);
        let (id, queue) = (completed.id, completed.queue.clone());
        let now = services.is_on_clock_of_store.then_some(now);
        let at_once = store_call::enqueue_now(&*services.store, &mut task, now);
        let first = |answers: Vec<Enqueued>| answers.into_iter().next();
        let answer = match at_once {
            Some(answer) => Ok(answer.map(Some)),
            None => enqueue(&services, task.into_iter().collect()).map(|it| it.map(first)),
        };
        let handle = TaskHandle::new(services, id, seat);
        match answer {
            Ok(answer) => Submitting::done(answered(handle, &queue, answer)),
            Err(pending) => Submitting::pending(async move { answered(handle, &queue, pending.await.map(first)) }),
        }
    }
}

/// Submits these at once: the answer, or what yields it. Whoever drops that stops nothing half-way.
fn enqueue(
    services: &Services,
    tasks: Vec<NewTask>,
) -> Result<Result<Vec<Enqueued>, StoreError>, StoreFuture<Vec<Enqueued>>> {
    let _entered = services.runtime.enter();
    let timeout = services.store_timeout();
    store_call::poll_now(services.store.enqueue(tasks)).map_err(|pending| -> StoreFuture<_> {
        if services.store.goes_on() {
            Box::pin(store_call::stay(pending, timeout))
        } else {
            Box::pin(store_call::detach(&services.runtime, pending, timeout, drop))
        }
    })
}

fn answered<O: DeserializeOwned + Send + 'static>(
    handle: TaskHandle<O>,
    queue: &Name,
    answer: Result<Option<Enqueued>, StoreError>,
) -> Result<TaskHandle<O>, SubmitError> {
    match answer? {
        Some(answer) => finish(handle, queue, &answer),
        None => Ok(handle),
    }
}

impl<O> fmt::Debug for Submission<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.prepared.as_ref().map(|it| it.task.name.clone());
        f.debug_tuple("Submission").field(&name).finish()
    }
}

/// A submission of a typed task.
pub(crate) fn submit<T: Task>(services: &Arc<Services>, task: &T) -> Submission<T::Output> {
    Submission { services: services.clone(), prepared: prepare_typed(services, task), output: PhantomData }
}

/// A submission by name.
pub(crate) fn submit_named(
    services: &Arc<Services>,
    name: &str,
    params: &impl Serialize,
) -> Submission<serde_json::Value> {
    Submission { services: services.clone(), prepared: prepare_named(services, name, params), output: PhantomData }
}

/// Many tasks in one call to the store.
pub(crate) async fn submit_many<T: Task>(
    services: &Arc<Services>,
    tasks: impl IntoIterator<Item = T>,
) -> Result<Vec<Result<TaskHandle<T::Output>, SubmitError>>, SubmitError> {
    let ready = tasks.into_iter().map(|it| submit(services, &it).ready()).collect::<Result<Vec<_>, _>>()?;
    let (tasks, handles): (Vec<_>, Vec<_>) = ready
        .into_iter()
        .map(|it| {
            let handle = TaskHandle::new(it.services, it.task.id, it.seat);
            let queue = it.task.queue.clone();
            (it.task, (handle, queue))
        })
        .unzip();
    let answers = match enqueue(services, tasks) {
        Ok(answer) => answer?,
        Err(pending) => pending.await?,
    };
    Ok(handles.into_iter().zip(answers).map(|((handle, queue), answer)| finish(handle, &queue, &answer)).collect())
}

/// A complete task of this definition with these parameters, for a schedule's tick.
pub(crate) fn scheduled(
    services: &Arc<Services>,
    name: &str,
    params: &RawValue,
    schedule: &Name,
) -> Result<NewTask, SubmitError> {
    let mut prepared = prepare_named(services, name, &params)?;
    prepared.label_mut().origin.schedule = Some(schedule.clone());
    let submission: Submission<serde_json::Value> =
        Submission { services: services.clone(), prepared: Ok(prepared), output: PhantomData };
    submission.ready().map(|it| it.task)
}
