//! Reads the ledger, while it is written and afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read as _,
    path::Path,
};

use ddd_core::{TaskId, domain::Fence};

/// One line: who noted what, and when in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) what: What,
    pub(crate) pid: u32,
    pub(crate) at: u128,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A body starts or ends.
    Started(TaskId, Fence),
    Ended(TaskId, Fence),
    /// A submission is about to be made; it was acknowledged; it failed, with an error that says so or another one.
    Trying(u32),
    Acknowledged(u32, TaskId),
    Refused(u32, bool),
    /// A tick is about to be fired as this task; this process fired it.
    Firing(i64, TaskId),
    Fired,
}

/// The ledger, read as far as it is written.
#[derive(Debug)]
pub(crate) struct Reader {
    file: File,
    rest: String,
    pub(crate) events: Vec<Event>,
    /// What each process runs: started, and not ended.
    pub(crate) running: BTreeMap<u32, BTreeSet<(TaskId, Fence)>>,
    pub(crate) started: usize,
    pub(crate) ended: usize,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Self {
        drop(File::options().create(true).append(true).open(path).unwrap());
        let file = File::open(path).unwrap();
        let (rest, events, running) = (String::new(), Vec::new(), BTreeMap::new());
        Self { file, rest, events, running, started: 0, ended: 0 }
    }

    /// Reads what was written since.
    pub(crate) fn read(&mut self) -> &mut Self {
        self.file.read_to_string(&mut self.rest).unwrap();
        let whole = self.rest.rfind('\n').map_or(0, |it| it + 1);
        let lines: String = self.rest.drain(..whole).collect();
        for line in lines.lines() {
            let event = parse(line).unwrap_or_else(|| panic!("the ledger has a broken line: {line}"));
            let running = self.running.entry(event.pid).or_default();
            match event.what {
                What::Started(id, fence) => {
                    self.started += 1;
                    running.insert((id, fence));
                }
                What::Ended(id, fence) => {
                    self.ended += 1;
                    running.remove(&(id, fence));
                }
                _ => {}
            }
            self.events.push(event);
        }
        self
    }

    /// How many bodies a process runs.
    pub(crate) fn running(&self, pid: u32) -> usize {
        self.running.get(&pid).map_or(0, BTreeSet::len)
    }
}

fn parse(line: &str) -> Option<Event> {
    let words: Vec<_> = line.split(' ').collect();
    let [said @ .., pid, at] = &words[..] else { return None };
    let what = match said {
        ["S", id, _, fence] => What::Started(id.parse().ok()?, Fence::new(fence.parse().ok()?)),
        ["E", id, _, fence] => What::Ended(id.parse().ok()?, Fence::new(fence.parse().ok()?)),
        ["T", number] => What::Trying(number.parse().ok()?),
        ["A", number, id] => What::Acknowledged(number.parse().ok()?, id.parse().ok()?),
        ["F", number, typed] => What::Refused(number.parse().ok()?, typed.parse().ok()?),
        ["I", tick, id] => What::Firing(tick.parse().ok()?, id.parse().ok()?),
        ["W", _] => What::Fired,
        _ => return None,
    };
    Some(Event { what, pid: pid.parse().ok()?, at: at.parse().ok()? })
}
