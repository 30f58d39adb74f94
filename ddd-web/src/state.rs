//! What the handlers of an API share.

use std::sync::Arc;

use ddd_core::{App, Registered};

use crate::{
    access::Access, health::Health, limits::Limits, request::RequestIds, settings::Settings, stream::Streams,
    validation::Catalogue,
};

/// What the handlers of an API share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) app: App,
    pub(crate) access: Arc<Access>,
    pub(crate) limits: Limits,
    pub(crate) request_ids: RequestIds,
    pub(crate) catalogue: Catalogue,
    pub(crate) health: Health,
    pub(crate) streams: Streams,
    /// Whether no trace of a caller's goes on here.
    pub(crate) own_traces: bool,
}

impl State {
    pub(crate) fn new(settings: &Settings) -> Self {
        let app = settings.app.clone();
        let catalogue = Catalogue::new(app.registry());
        let access = settings.access.clone();
        let limits = Limits::new(settings.submit_body, settings.submissions);
        let Settings { checks, thresholds, check_timeout, version, own_traces, .. } = settings;
        let health = Health::new(app.clone(), checks, *thresholds, *check_timeout, version.clone());
        let streams = Streams::new(&app, settings.streams);
        let (request_ids, own_traces) = (RequestIds::default(), *own_traces);
        Self { app, access, limits, request_ids, catalogue, health, streams, own_traces }
    }

    /// The definition of this name, if it is within reach over HTTP.
    pub(crate) fn definition(&self, name: &str) -> Option<&Registered> {
        self.app.registry().find(name).filter(|it| !it.definition.options.internal)
    }

    /// The definitions that are within reach over HTTP, by name.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = &Registered> {
        self.app.registry().iter().filter(|it| !it.definition.options.internal)
    }

    /// Whether tasks of this name are out of reach.
    pub(crate) fn is_internal(&self, name: &str) -> bool {
        self.app.registry().find(name).is_some_and(|it| it.definition.options.internal)
    }
}
