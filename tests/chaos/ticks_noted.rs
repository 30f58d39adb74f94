//! Notes which tick each task of a schedule is of, before the store is asked to fire it, and who fired it.

use std::sync::Arc;

use ddd_core::{
    TaskStore,
    ports::{ScheduleCommand, ScheduleRecord, StoreFuture},
};
use ddd_tests::kit::layer::{Layer, Layered};

use crate::tasks::Ledger;

struct Noted {
    store: Arc<dyn TaskStore>,
    ledger: Ledger,
}

/// A store whose ticks are noted.
pub(crate) fn noted(store: Arc<dyn TaskStore>, ledger: Ledger) -> Arc<dyn TaskStore> {
    Arc::new(Layered(Arc::new(Noted { store, ledger })))
}

impl Layer for Noted {
    fn below(&self) -> &Arc<dyn TaskStore> {
        &self.store
    }

    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>> {
        let ScheduleCommand::Fire { tick, task, .. } = &command else { return self.store.schedules(command) };
        let (tick, ledger) = (tick.as_micros(), self.ledger.clone());
        ledger.note(format_args!("I {tick} {}", task.id));
        let answer = self.store.schedules(command);
        Box::pin(async move {
            let fired = answer.await?;
            if !fired.is_empty() {
                ledger.note(format_args!("W {tick}"));
            }
            Ok(fired)
        })
    }
}
