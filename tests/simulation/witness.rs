//! Stands right before the store, behind all trouble, and notes what arrives there.

use std::sync::Arc;

use ddd_core::{
    Clock, TaskStore,
    ports::{ClaimRequest, Claims, Finish, Finished, Heartbeat, ScheduleCommand, ScheduleRecord, Signal, StoreFuture},
    testing::VirtualClock,
};
use ddd_tests::kit::layer::Layer;

use crate::ledger::Ledger;

pub(crate) struct Witness {
    pub(crate) store: Arc<dyn TaskStore>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) clock: Arc<VirtualClock>,
}

impl Layer for Witness {
    fn below(&self) -> &Arc<dyn TaskStore> {
        &self.store
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> StoreFuture<Vec<Signal>> {
        let now = self.clock.now();
        self.ledger.book().beats.entry(heartbeat.worker).or_default().push(now);
        self.store.heartbeat(heartbeat)
    }

    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>> {
        let (ledger, answer) = (self.ledger.clone(), self.store.finish(finishes));
        Box::pin(async move { answer.await.inspect(|it| ledger.answered(it)) })
    }

    fn finish_and_claim_now(
        &self,
        finishes: &mut dyn Iterator<Item = Finish>,
        request: &ClaimRequest,
    ) -> Option<(Vec<Finished>, Claims)> {
        self.store.finish_and_claim_now(finishes, request).inspect(|it| self.ledger.answered(&it.0))
    }

    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>> {
        if let ScheduleCommand::Fire { name, tick, task, .. } = &command {
            self.ledger.book().fired.insert(task.id, (name.to_string(), *tick));
        }
        self.store.schedules(command)
    }
}
