//! Reads a part of a configuration into a type of the program, as serde asks for it.

use std::{cell::RefCell, collections::BTreeMap};

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
        value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

use super::{misfit::Misfit, untyped};
use crate::domain::{Node, NodeValue};

/// What a type calls itself that wants to be hidden wherever the configuration is shown.
pub(super) const SECRET: &str = "$ddd::secret";

/// What a type calls itself that takes whatever a text without a type reads like.
pub(in crate::application) const SCALAR: &str = "$ddd::scalar";

/// The paths of secrets that were read, as they are found.
#[derive(Debug, Default)]
pub(super) struct Found {
    path: RefCell<Vec<String>>,
    secrets: RefCell<Vec<Vec<String>>>,
}

impl Found {
    /// Of all secrets that were read, `count`. If some of them were read past the reader, because their type keeps what it holds
    /// until it knows what that is (`flatten`, `untagged`, `tag`), nobody knows where they stand: then all that was read is one.
    pub(super) fn into_secrets(self, count: usize) -> Vec<Vec<String>> {
        let secrets = self.secrets.into_inner();
        if secrets.len() < count { vec![Vec::new()] } else { secrets }
    }

    /// Reads what stands below `name`.
    fn below<T>(&self, name: &str, node: &Node, read: impl FnOnce() -> Result<T, Misfit>) -> Result<T, Misfit> {
        self.path.borrow_mut().push(name.to_owned());
        let read = read();
        self.path.borrow_mut().pop();
        read.map_err(|it| it.below(name, &node.origin))
    }
}

/// A node that is read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    node: &'a Node,
    found: &'a Found,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(node: &'a Node, found: &'a Found) -> Self {
        Self { node, found }
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A number of a text that knows no types, or the text as it is, so that the visitor tells what it expected.
macro_rules! number {
    ($($method:ident $visit:ident $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            match &self.node.value {
                NodeValue::Untyped(text) => match text.trim().parse::<$type>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => Err(Misfit::invalid_type(Unexpected::Str(text), &visitor)),
                },
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.value {
            NodeValue::Null => visitor.visit_unit(),
            NodeValue::Bool(it) => visitor.visit_bool(*it),
            NodeValue::Integer(it) => match u64::try_from(*it) {
                Ok(it) => visitor.visit_u64(it),
                Err(_) => visitor.visit_i64(*it),
            },
            NodeValue::Float(it) => visitor.visit_f64(*it),
            NodeValue::Text(it) | NodeValue::Untyped(it) => visitor.visit_str(it),
            NodeValue::List(items) => visitor.visit_seq(Items { items: items.iter(), found: self.found, at: 0 }),
            NodeValue::Map(entries) => visitor.visit_map(Entries::new(entries, self.found)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.value {
            NodeValue::Untyped(text) => match truth(text.trim()) {
                Some(it) => visitor.visit_bool(it),
                None => Err(Misfit::custom("a text was found where a truth value belongs; write `true` or `false`")),
            },
            NodeValue::Text(text) if truth(text).is_some() => Err(Misfit::custom(
                "a text was found where a truth value belongs; write `true` or `false`, without quotes",
            )),
            _ => self.deserialize_any(visitor),
        }
    }

    number! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_f32 visit_f32 f32;
        deserialize_f64 visit_f64 f64;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.node.value {
            NodeValue::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        if name == SECRET {
            self.found.secrets.borrow_mut().push(self.found.path.borrow().clone());
        }
        match &self.node.value {
            NodeValue::Untyped(text) if name == SCALAR => {
                let scalar = untyped::scalar(text, &self.node.origin);
                visitor.visit_newtype_struct(Reader::new(&scalar, self.found))
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_str(visitor)
    }

    /// A number or a truth value without quotes is what was written; the text of it is what was meant.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.value {
            NodeValue::Integer(it) => visitor.visit_string(it.to_string()),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let NodeValue::Untyped(text) = &self.node.value else { return self.deserialize_any(visitor) };
        let list = untyped::list(text, &self.node.origin)?;
        Reader::new(&list, self.found).deserialize_any(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.value {
            // A group that is written without entries has none.
            NodeValue::Null => visitor.visit_map(Entries::new(const { &BTreeMap::new() }, self.found)),
            NodeValue::Untyped(text) => match untyped::group(text, &self.node.origin) {
                Some(group) => Reader::new(&group, self.found).deserialize_any(visitor),
                None => Err(Misfit::custom("a text was found where a group of settings belongs; write a JSON object")),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if let NodeValue::Untyped(text) = &self.node.value
            && let Some(group) = untyped::group(text, &self.node.origin)
        {
            return Reader::new(&group, self.found).deserialize_enum(name, variants, visitor);
        }
        match &self.node.value {
            NodeValue::Text(it) | NodeValue::Untyped(it) => {
                visitor.visit_enum(Choice { name: it, node: None, found: self.found })
            }
            NodeValue::Map(entries) if entries.len() == 1 => match entries.iter().next() {
                Some((name, node)) => visitor.visit_enum(Choice { name, node: Some(node), found: self.found }),
                None => Err(Misfit::custom("a choice has one name")),
            },
            _ => Err(Misfit::custom(format!("{} was found where the name of a choice belongs", self.node.kind()))),
        }
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Items<'a, I> {
    items: I,
    found: &'a Found,
    at: usize,
}

impl<'de, 'a, I: Iterator<Item = &'a Node>> SeqAccess<'de> for Items<'a, I> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(node) = self.items.next() else { return Ok(None) };
        let at = self.at.to_string();
        self.at += 1;
        self.found.below(&at, node, || seed.deserialize(Reader::new(node, self.found))).map(Some)
    }
}

struct Entries<'a> {
    entries: std::collections::btree_map::Iter<'a, String, Node>,
    current: Option<(&'a String, &'a Node)>,
    found: &'a Found,
}

impl<'a> Entries<'a> {
    fn new(entries: &'a BTreeMap<String, Node>, found: &'a Found) -> Self {
        Self { entries: entries.iter(), current: None, found }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        self.current = self.entries.next();
        let Some((key, node)) = self.current else { return Ok(None) };
        let read = seed.deserialize(StrDeserializer::<Misfit>::new(key));
        read.map(Some).map_err(|it| it.below(key, &node.origin))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some((key, node)) = self.current else { return Err(Misfit::custom("a value without a name")) };
        self.found.below(key, node, || seed.deserialize(Reader::new(node, self.found)))
    }
}

/// A variant of an enum: its name alone, or the only entry of a group.
struct Choice<'a> {
    name: &'a str,
    node: Option<&'a Node>,
    found: &'a Found,
}

impl<'de> EnumAccess<'de> for Choice<'_> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        seed.deserialize(StrDeserializer::<Misfit>::new(self.name)).map(|it| (it, self))
    }
}

impl<'a> Choice<'a> {
    fn content<T>(self, read: impl FnOnce(Reader<'a>) -> Result<T, Misfit>) -> Result<T, Misfit> {
        let node = self.node.ok_or_else(|| Misfit::custom(format!("`{}` needs settings of its own", self.name)))?;
        self.found.below(self.name, node, || read(Reader::new(node, self.found)))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.node {
            None => Ok(()),
            Some(_) => Err(Misfit::custom(format!("`{}` has no settings of its own; write the name alone", self.name))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        self.content(|it| seed.deserialize(it))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.content(|it| it.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Misfit> {
        self.content(|it| it.deserialize_map(visitor))
    }
}
