//! The members of a JSON object, read one by one, so that all that is wrong with them is told at once.

use std::{borrow::Cow, fmt};

use ddd_core::domain::closest;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{body, json};
use crate::problem::{Fault, Problem, codes, pointer};

/// The members of an object, and the faults that were found in them so far.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
    faults: Vec<Fault>,
    /// How many faults there are beyond those that are kept.
    more: usize,
}

/// The largest object that is read: more members than any request has.
const MOST: usize = 1_000;

impl<'a> Members<'a> {
    /// The members of the object that a body is.
    ///
    /// # Errors
    /// It is no JSON, or no object.
    pub(crate) fn of(bytes: &'a [u8]) -> Result<Self, Problem> {
        let text = body::text(bytes)?;
        let Object(members) = serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => misfit(vec![Fault::at("", "is not an object, such as `{}`")], 0),
            _ => body::unreadable(text, &error),
        })?;
        json::check(text).map_err(body::invalid)?;
        Ok(Self { members, faults: Vec::new(), more: 0 })
    }

    /// The text of a member; `None` if it is not there, or `null`.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.members.iter().find(|it| it.0 == name);
        found.map(|it| it.1).filter(|it| it.get() != "null")
    }

    /// Whether a member is there, and not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// Reads a member; `None` if it is not there, is `null`, or does not fit: then the fault is noted.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a str) -> Result<T, Cow<'static, str>>,
    ) -> Option<T> {
        match read(self.raw(name)?.get()) {
            Ok(value) => Some(value),
            Err(detail) => {
                self.fault(name, detail);
                None
            }
        }
    }

    /// Notes a fault of a member.
    pub(crate) fn fault(&mut self, name: &str, detail: impl Into<Cow<'static, str>>) {
        if self.faults.len() == Problem::MOST_ERRORS {
            self.more += 1;
            return;
        }
        let mut place = String::new();
        pointer::push(&mut place, name);
        self.faults.push(Fault::at(place, detail));
    }

    /// Notes a fault of the whole.
    pub(crate) fn whole(&mut self, detail: &'static str) {
        self.faults.push(Fault::at("", detail));
    }

    /// Notes the members that are none of these. For one that is known elsewhere there is a hint.
    pub(crate) fn only(&mut self, known: &[&'static str], elsewhere: &[(&'static str, &'static str)]) {
        let members = std::mem::take(&mut self.members);
        for (name, _) in members.iter().filter(|it| !known.contains(&&*it.0)) {
            if self.faults.len() == Problem::MOST_ERRORS {
                self.more += 1;
                continue;
            }
            let hint = match elsewhere.iter().find(|it| it.0 == name) {
                Some((_, hint)) => format!("; {hint}"),
                None => {
                    let meant = closest(name, known.iter().copied());
                    meant.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default()
                }
            };
            self.fault(name, format!("is not known here{hint}"));
        }
        self.members = members;
    }

    /// Notes faults that were found elsewhere, and how many more there were.
    pub(crate) fn faults(&mut self, faults: impl IntoIterator<Item = Fault>, more: usize) {
        self.faults.extend(faults);
        self.more += more;
    }

    /// Whether faults were noted.
    pub(crate) const fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// # Errors
    /// Faults were noted.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.faults.is_empty() { Ok(()) } else { Err(self.into_problem()) }
    }

    /// The faults that were noted.
    pub(crate) fn into_problem(self) -> Problem {
        misfit(self.faults, self.more)
    }
}

/// A body does not fit, in these places and so many more.
pub(crate) fn misfit(faults: Vec<Fault>, more: usize) -> Problem {
    let detail = match faults.len() + more {
        1 => "1 value does not fit".to_owned(),
        count => format!("{count} values do not fit"),
    };
    Problem::of(&codes::INVALID_BODY).detail(detail).faults(faults).and_more(more)
}

/// An object, its values not read yet.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(Key(key)) = map.next_key()? {
                    let value = map.next_value()?;
                    if members.len() < MOST {
                        members.push((key, value));
                    }
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}

/// A key, borrowed unless it has escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}
