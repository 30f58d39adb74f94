//! What is left of a configuration when what does not fit is taken away and what is missing is made up, so that serde, which
//! stops at the first thing that is wrong, comes to the next one.

use std::collections::BTreeMap;

use super::{misfit::Misfit, untyped};
use crate::domain::{ConfigurationOrigin, Node, NodeValue};

/// What is put where a setting is missing, one after the other until its type takes one. They are texts from a source that knows no types,
/// so the first one is a number, a truth value or a text as well.
const STAND_INS: [&str; 8] =
    ["1", "[]", "{}", "1s", "127.0.0.1", "127.0.0.1:1", "http://localhost/", "00000000-0000-0000-0000-000000000000"];

/// A configuration that is read again and again.
#[derive(Debug)]
pub(super) struct Rest {
    node: Node,
    /// What was taken away or made up.
    touched: Vec<Vec<String>>,
    /// Where something was made up, and which of the stand-ins it is.
    stand_ins: BTreeMap<Vec<String>, usize>,
}

impl Rest {
    pub(super) const fn new(node: Node) -> Self {
        Self { node, touched: Vec::new(), stand_ins: BTreeMap::new() }
    }

    pub(super) const fn node(&self) -> &Node {
        &self.node
    }

    pub(super) const fn is_as_written(&self) -> bool {
        self.touched.is_empty()
    }

    /// Whether a misfit may follow from what was taken away or made up.
    pub(super) fn made(&self, misfit: &Misfit) -> bool {
        self.touched.iter().any(|it| it.starts_with(&misfit.path) || misfit.path.starts_with(it))
    }

    /// Makes another one of it, in which the misfit is gone. `false` if that cannot be.
    pub(super) fn mend(&mut self, misfit: &Misfit) -> bool {
        let path = &misfit.path;
        let made_up = (1..=path.len()).rev().map(|it| &path[..it]).find(|it| self.stand_ins.contains_key(*it));
        match made_up.map(<[String]>::to_vec) {
            Some(at) if !misfit.is_missing || at == *path => self.put_next(&at, misfit.choice),
            _ if misfit.is_missing => self.make_up(path.clone()),
            _ => self.take_away(path),
        }
    }

    /// Takes away the innermost thing on the path that is there. What stands in a list keeps its place.
    fn take_away(&mut self, path: &[String]) -> bool {
        for length in (1..=path.len()).rev() {
            let (name, at) = (&path[length - 1], path[..length].to_vec());
            let Some(parent) = find(&mut self.node, &path[..length - 1]) else { continue };
            match &mut parent.value {
                NodeValue::Map(entries) if entries.contains_key(name) => {
                    entries.remove(name);
                    self.touched.push(at);
                    return true;
                }
                NodeValue::List(items) if name.parse().is_ok_and(|it: usize| it < items.len()) => {
                    return self.make_up(at);
                }
                _ => {}
            }
        }
        false
    }

    fn make_up(&mut self, path: Vec<String>) -> bool {
        put(&mut self.node, &path, STAND_INS[0]);
        self.touched.push(path.clone());
        self.stand_ins.insert(path, 0);
        true
    }

    /// Another stand-in in the place of one that does not fit: what the type says that it takes, or the next one.
    fn put_next(&mut self, path: &[String], choice: Option<&'static str>) -> bool {
        let now = find(&mut self.node, path).map(|it| it.value.clone());
        if let Some(choice) = choice.filter(|it| now != Some(NodeValue::Untyped((*it).to_owned()))) {
            put(&mut self.node, path, choice);
            return true;
        }
        let Some(at) = self.stand_ins.get_mut(path) else { return false };
        *at += 1;
        let Some(next) = STAND_INS.get(*at) else { return false };
        put(&mut self.node, path, next);
        true
    }
}

/// What is at a path, through groups and lists.
fn find<'a>(node: &'a mut Node, path: &[String]) -> Option<&'a mut Node> {
    path.iter().try_fold(node, |node, name| match &mut node.value {
        NodeValue::Map(entries) => entries.get_mut(name),
        NodeValue::List(items) => items.get_mut(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Puts a text at a path. What is neither group nor list on the way becomes a group.
fn put(mut node: &mut Node, path: &[String], text: &str) {
    for name in path {
        if let NodeValue::Untyped(text) = &node.value
            && let Some(group) = untyped::group(text, &node.origin)
        {
            *node = group;
        }
        if !matches!(node.value, NodeValue::Map(_) | NodeValue::List(_)) {
            *node = Node::empty(node.origin.clone());
        }
        node = match &mut node.value {
            NodeValue::Map(entries) => {
                entries.entry(name.clone()).or_insert_with(|| Node::empty(ConfigurationOrigin::code()))
            }
            NodeValue::List(items) => match name.parse().ok().and_then(|it: usize| items.get_mut(it)) {
                Some(item) => item,
                None => return,
            },
            _ => return,
        };
    }
    node.value = NodeValue::Untyped(text.to_owned());
}
