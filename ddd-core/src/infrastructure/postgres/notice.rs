//! What processes tell each other, as text: a line for each word, the first is who says it. Names have no lines and commas, so a
//! word that begins with another character than a name says something else than that a queue has work.

use std::{fmt::Write as _, sync::Arc};

use uuid::Uuid;

use super::numbers::{code, status};
use crate::{
    domain::{Fence, Name, TaskId, TaskStatus, Timestamp, Transition, WorkerId},
    infrastructure::sql::{json_of, json_text},
    ports::Attention,
};

/// A notice has less than 8,000 bytes.
const LONGEST: usize = 7_000;

/// The running task of a worker that somebody cancels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cancelled {
    pub(super) id: TaskId,
    pub(super) fence: Fence,
    pub(super) worker: WorkerId,
}

/// What is said, in notices that are each short enough.
#[derive(Debug)]
pub(super) struct Writing {
    sender: u64,
    done: Vec<String>,
    /// Begins with who says it.
    last: String,
    /// The name and queue that were named last in the last one.
    of: Option<(Name, Name)>,
}

impl Writing {
    pub(super) fn new(sender: u64) -> Self {
        Self { sender, done: Vec::new(), last: format!("{sender:x}"), of: None }
    }

    pub(super) fn queue(&mut self, name: &str) {
        if may_be_said(name) {
            self.word(name);
        }
    }

    pub(super) fn cancelled(&mut self, it: &Cancelled) {
        let (id, worker) = (it.id.as_uuid().simple(), it.worker.as_uuid().simple());
        self.word(&format!("!{id},{:x},{worker}", it.fence.get()));
    }

    pub(super) fn ended(&mut self, id: TaskId) {
        self.word(&format!(".{}", id.as_uuid().simple()));
    }

    pub(super) fn attention(&mut self, to: Attention) {
        self.word(if to == Attention::Ends { "+ends" } else { "+transitions" });
    }

    /// Whether it could be said.
    pub(super) fn transition(&mut self, it: &Transition) -> bool {
        let from = it.from.map_or(-1, code);
        let (id, to, at, fence) = (it.id.as_uuid().simple(), code(it.to), it.at.as_micros(), it.fence.get());
        let mut word = format!("~{id},{},{},{fence},{from},{to},{at},", it.run, it.attempt);
        if let Some(progress) = &it.progress {
            let Ok(progress) = json_text(&**progress) else { return false };
            word.push_str(&progress);
        }
        if !may_be_said(&it.name) || !may_be_said(&it.queue) || word.len() + 300 > LONGEST {
            return false;
        }
        if !self.has_room(word.len() + 220) {
            self.turn();
        }
        if self.of.as_ref().is_none_or(|of| of.0 != it.name || of.1 != it.queue) {
            self.of = Some((it.name.clone(), it.queue.clone()));
            let _ = write!(self.last, "\n={},{}", it.name, it.queue);
        }
        self.word(&word);
        true
    }

    pub(super) fn missed(&mut self, count: u64) {
        self.word(&format!("-{count}"));
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.done.len() * LONGEST + self.last.len()
    }

    pub(super) fn into_texts(mut self) -> Vec<String> {
        self.turn();
        self.done
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.last.len() + 1 + bytes <= LONGEST
    }

    fn word(&mut self, word: &str) {
        if !self.has_room(word.len()) {
            self.turn();
        }
        self.last.push('\n');
        self.last.push_str(word);
    }

    fn turn(&mut self) {
        let last = std::mem::replace(&mut self.last, format!("{:x}", self.sender));
        if last.contains('\n') {
            self.done.push(last);
        }
        self.of = None;
    }
}

/// Names are not checked everywhere.
fn may_be_said(name: &str) -> bool {
    name.len() <= 100 && name.starts_with(|it: char| it.is_alphanumeric() || it == '_') && !name.contains(['\n', ','])
}

/// What a notice says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Heard {
    pub(super) sender: u64,
    pub(super) queues: Vec<Name>,
    pub(super) cancelled: Vec<Cancelled>,
    pub(super) ended: Vec<TaskId>,
    pub(super) attention: Vec<Attention>,
    pub(super) transitions: Vec<Transition>,
    pub(super) missed: u64,
}

impl Heard {
    /// What this version does not understand is left out: it comes from another one.
    pub(super) fn read(text: &str) -> Self {
        let mut words = text.split('\n');
        let sender = words.next().and_then(|it| u64::from_str_radix(it, 16).ok()).unwrap_or_default();
        let mut heard = Self { sender, ..Self::default() };
        let mut of = None;
        for word in words {
            let mut characters = word.chars();
            match (characters.next(), characters.as_str()) {
                (Some('!'), rest) => heard.cancelled.extend(cancelled(rest)),
                (Some('.'), rest) => heard.ended.extend(task_id(rest)),
                (Some('+'), "ends") => heard.attention.push(Attention::Ends),
                (Some('+'), "transitions") => heard.attention.push(Attention::Transitions),
                (Some('='), rest) => of = rest.split_once(',').map(|it| (Name::from(it.0), Name::from(it.1))),
                (Some('~'), rest) => {
                    let transition = of.as_ref().and_then(|of| transition(rest, of));
                    heard.missed = heard.missed.saturating_add(u64::from(transition.is_none()));
                    heard.transitions.extend(transition);
                }
                (Some('-'), rest) => heard.missed = heard.missed.saturating_add(rest.parse().unwrap_or(1)),
                (Some(it), _) if it.is_alphanumeric() || it == '_' => heard.queues.push(word.into()),
                _ => {}
            }
        }
        heard
    }
}

fn task_id(text: &str) -> Option<TaskId> {
    Uuid::try_parse(text).ok().map(TaskId::from)
}

fn cancelled(text: &str) -> Option<Cancelled> {
    let mut fields = text.split(',');
    let id = task_id(fields.next()?)?;
    let fence = Fence::new(u64::from_str_radix(fields.next()?, 16).ok()?);
    let worker = Uuid::try_parse(fields.next()?).ok()?.into();
    Some(Cancelled { id, fence, worker })
}

fn transition(text: &str, of: &(Name, Name)) -> Option<Transition> {
    let mut fields = text.splitn(8, ',');
    let mut next = || fields.next();
    let status_of = |text: &str| -> Option<TaskStatus> { status(text.parse().ok()?).ok() };
    Some(Transition {
        id: task_id(next()?)?,
        name: of.0.clone(),
        queue: of.1.clone(),
        run: next()?.parse().ok()?,
        attempt: next()?.parse().ok()?,
        fence: Fence::new(next()?.parse().ok()?),
        from: match next()? {
            "-1" => None,
            text => Some(status_of(text)?),
        },
        to: status_of(next()?)?,
        at: Timestamp::from_micros(next()?.parse().ok()?),
        progress: match next()? {
            "" => None,
            text => Some(Arc::new(json_of(text).ok()?)),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Progress;

    fn id(number: u128) -> TaskId {
        Uuid::from_u128(number).into()
    }

    fn went(number: u128, name: &'static str, progress: Option<Progress>) -> Transition {
        Transition {
            id: id(number),
            name: Name::new(name),
            queue: Name::new("default"),
            run: 1,
            attempt: 2,
            fence: Fence::new(3),
            from: progress.as_ref().map(|_| TaskStatus::Running),
            to: TaskStatus::Running,
            at: Timestamp::from_micros(1_700_000_000_000_000),
            progress: progress.map(Arc::new),
        }
    }

    #[test]
    fn what_is_said_is_heard() {
        let cancelled = Cancelled { id: id(1), fence: Fence::new(77), worker: Uuid::from_u128(5).into() };
        let said = [
            went(1, "a", None),
            went(2, "b", Some(Progress::new(0.5, "line\nand, comma\u{1}".to_owned()))),
            went(3, "b", None),
        ];
        let mut writing = Writing::new(0xabc);
        writing.queue("documents");
        writing.queue("no\nname");
        writing.cancelled(&cancelled);
        writing.ended(id(9));
        writing.attention(Attention::Ends);
        writing.attention(Attention::Transitions);
        assert!(said.iter().all(|it| writing.transition(it)));
        writing.missed(4);
        let texts = writing.into_texts();
        assert_eq!(texts.len(), 1);
        let heard = Heard {
            sender: 0xabc,
            queues: vec![Name::new("documents")],
            cancelled: vec![cancelled],
            ended: vec![id(9)],
            attention: vec![Attention::Ends, Attention::Transitions],
            transitions: said.to_vec(),
            missed: 4,
        };
        assert_eq!(Heard::read(&texts[0]), heard);
    }

    #[test]
    fn much_is_said_in_several_notices_and_each_can_be_read_alone() {
        let mut writing = Writing::new(1);
        for number in 0..1_000 {
            writing.queue(&format!("queue-{number}"));
            assert!(writing.transition(&went(number, "a", None)));
        }
        let texts = writing.into_texts();
        assert!(texts.len() > 5 && texts.iter().all(|it| it.len() <= LONGEST));
        let heard = texts.iter().map(|it| Heard::read(it)).collect::<Vec<_>>();
        assert_eq!(heard.iter().map(|it| it.queues.len()).sum::<usize>(), 1_000);
        assert_eq!(heard.iter().map(|it| it.transitions.len()).sum::<usize>(), 1_000);
        assert!(heard.iter().all(|it| it.missed == 0));
        let long = went(1, "a", Some(Progress::new(0.1, "x".repeat(LONGEST))));
        assert!(!Writing::new(1).transition(&long), "it goes into no notice");
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for text in ["", "zz", "1\n!x", "1\n!1,2", "1\n.", "1\n%later", "1\n+other", "1\n\n"] {
            let heard = Heard { sender: u64::from(text.starts_with('1')), ..Heard::default() };
            assert_eq!(Heard::read(text), heard, "{text:?}");
        }
        assert_eq!(Heard::read("1\n~broken\n=a,b\n~0,0").missed, 2);
    }
}
