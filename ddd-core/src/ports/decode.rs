//! Parameters from JSON, with the path of what does not fit.
//!
//! Each task costs its user's build one small function: [`members`] takes the object apart without knowing the task, and
//! [`Members::read`] is compiled once per type of parameter. Where an attribute of serde's stands on a parameter, the
//! derived `Deserialize` is used instead ([`decode`]): it alone knows what the attribute means. Both know where they
//! stand, so that no second pass is needed to find the path of an error.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::value::RawValue;

use super::{InvalidParams, fields::missing, json_path};

/// Reads parameters, which are a JSON object, by the derived implementation.
pub(super) fn decode<T: DeserializeOwned>(params: &RawValue) -> Result<T, InvalidParams> {
    let mut object = Object::new(params.get());
    match T::deserialize(&mut object) {
        Ok(value) => Ok(value),
        Err(error) => Err(object.locate(error)),
    }
}

/// The values of an object's members, in the order of their names, not read yet.
#[derive(Debug)]
pub struct Members<'a, const N: usize> {
    names: &'static [&'static str; N],
    values: [Option<&'a str>; N],
}

/// Takes parameters apart: those of the given names.
///
/// # Errors
/// They are no object, or hold a member of another name, or one twice.
pub fn members<'a, const N: usize>(
    params: &'a RawValue,
    names: &'static [&'static str; N],
) -> Result<Members<'a, N>, InvalidParams> {
    let mut values = [None; N];
    match fill(params.get(), names, &mut values) {
        Ok(()) => Ok(Members { names, values }),
        Err(error) => Err(error),
    }
}

fn fill<'a>(
    json: &'a str,
    names: &'static [&'static str],
    values: &mut [Option<&'a str>],
) -> Result<(), InvalidParams> {
    let mut object = Object::new(json);
    object.enter()?;
    while let Some(key) = object.step() {
        let Some(index) = names.iter().position(|it| *it == key) else {
            return Err(object.locate(InvalidParams::unknown_field(&key, names)));
        };
        if values[index].replace(object.value()).is_some() {
            return Err(object.locate(InvalidParams::duplicate_field(names[index])));
        }
    }
    Ok(())
}

/// The members of an object, in order, their values as they are written; none if it is no object.
pub(super) fn members_of(json: &str) -> Vec<(Cow<'_, str>, &str)> {
    let mut object = Object::new(json);
    let mut members = Vec::new();
    if object.enter().is_ok() {
        while let Some(key) = object.step() {
            members.push((key, object.value()));
        }
    }
    members
}

impl<const N: usize> Members<'_, N> {
    /// The value of the member whose name has this index.
    ///
    /// # Errors
    /// It does not fit `T`; or it is missing, and `T` is no `Option`.
    pub fn read<T: DeserializeOwned>(&self, index: usize) -> Result<T, InvalidParams> {
        let Some(name) = self.names.get(index) else { return Err(InvalidParams::new("", "no such parameter")) };
        read(name, self.values.get(index).copied().flatten())
    }
}

fn read<T: DeserializeOwned>(name: &'static str, json: Option<&str>) -> Result<T, InvalidParams> {
    match json {
        Some(json) => match T::deserialize(&mut serde_json::Deserializer::from_str(json)) {
            Ok(value) => Ok(value),
            Err(error) => Err(value_error(json, &error).within(name)),
        },
        None => missing(name),
    }
}

/// A walk over the members of an object. The text is valid JSON: [`RawValue`] holds nothing else.
struct Object<'de> {
    json: &'de str,
    /// What is not read yet begins here.
    at: usize,
    /// The member at hand, as its key is written: with quotes and escapes.
    key: Option<&'de str>,
}

impl<'de> Object<'de> {
    fn new(json: &'de str) -> Self {
        Self { json, at: 0, key: None }
    }

    /// Enters the object.
    fn enter(&mut self) -> Result<(), InvalidParams> {
        if self.json.trim_start().starts_with('{') {
            self.at = self.json.find('{').map_or(0, |it| it + 1);
            return Ok(());
        }
        Err(InvalidParams::new("", "expected an object, its keys the names of the parameters"))
    }

    /// The key of the next member, if there is one.
    fn step(&mut self) -> Option<Cow<'de, str>> {
        self.key = None;
        self.skip_space();
        if self.json[self.at..].starts_with(',') {
            self.at += 1;
            self.skip_space();
        }
        if !self.json[self.at..].starts_with('"') {
            return None;
        }
        let start = self.at;
        self.at = json_path::end_of_value(self.json, start);
        let key = &self.json[start..self.at];
        self.key = Some(key);
        Some(json_path::unquoted(key))
    }

    /// The value of the member at hand.
    fn value(&mut self) -> &'de str {
        self.skip_space();
        if self.json[self.at..].starts_with(':') {
            self.at += 1;
            self.skip_space();
        }
        let start = self.at;
        self.at = json_path::end_of_value(self.json, start);
        &self.json[start..self.at]
    }

    fn skip_space(&mut self) {
        let rest = &self.json[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Puts the member at hand before the error's own path.
    fn locate(&self, error: InvalidParams) -> InvalidParams {
        match self.key {
            Some(key) => error.within(&json_path::unquoted(key)),
            None => error,
        }
    }
}

/// An error inside of a member's value, its path from there on.
#[cold]
fn value_error(json: &str, error: &serde_json::Error) -> InvalidParams {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = text.strip_suffix(&place).unwrap_or(&text);
    InvalidParams::new(json_path::at(json, error.line(), error.column()), message)
}

impl Error for InvalidParams {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::new("", message.to_string())
    }
}

impl<'de> Deserializer<'de> for &mut Object<'de> {
    type Error = InvalidParams;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidParams> {
        match self.enter() {
            Ok(()) => visitor.visit_map(self),
            Err(error) => Err(error),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, InvalidParams> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidParams> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for &mut Object<'de> {
    type Error = InvalidParams;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, InvalidParams> {
        match self.step() {
            None => Ok(None),
            Some(key) => match seed.deserialize(Key(key)) {
                Ok(key) => Ok(Some(key)),
                Err(error) => Err(error),
            },
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, InvalidParams> {
        let json = self.value();
        seed.deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(|it| value_error(json, &it))
    }
}

/// The key of a member.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = InvalidParams;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidParams> {
        visitor.visit_str(&self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Params {
        name: String,
        numbers: Option<Vec<u8>>,
        address: Option<Address>,
        more: Option<BTreeMap<String, Vec<Address>>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Address {
        city: String,
    }

    /// Both ways must say the same.
    fn read(json: &str) -> Result<Params, InvalidParams> {
        let json = RawValue::from_string(json.to_owned()).unwrap();
        let derived = decode(&json);
        let by_members = members(&json, &["name", "numbers", "address", "more"]).and_then(|it| {
            Ok(Params { name: it.read(0)?, numbers: it.read(1)?, address: it.read(2)?, more: it.read(3)? })
        });
        assert_eq!(derived, by_members);
        derived
    }

    #[track_caller]
    fn refused(json: &str, path: &str, message: &str) {
        let error = read(json).unwrap_err();
        assert_eq!(error.path, path, "{error}");
        assert!(error.message.starts_with(message), "{error}");
        assert!(!error.message.contains(" at line "), "{error}");
    }

    #[test]
    fn reads_an_object_however_it_is_spaced() {
        let params = read(" {\n\t\"n\\u0061me\" : \"a \\\"b\\\" {}[],:\" ,\r\n \"address\":{ \"city\" :\"Köln\"} , \"numbers\" : [ 1 ,2 ] } ").unwrap();
        assert_eq!(params.name, "a \"b\" {}[],:");
        assert_eq!(params.numbers, Some(vec![1, 2]));
        assert_eq!(params.address, Some(Address { city: "Köln".to_owned() }));
        assert_eq!(read(r#"{"name":"x","address":null}"#).unwrap().address, None);
    }

    #[test]
    fn reads_other_things_than_structs() {
        let json = RawValue::from_string(r#"{"a":1,"b":[true]}"#.to_owned()).unwrap();
        assert_eq!(decode::<serde_json::Value>(&json).unwrap(), serde_json::json!({"a": 1, "b": [true]}));
        assert_eq!(decode::<Option<serde_json::Value>>(&json).unwrap(), Some(serde_json::json!({"a": 1, "b": [true]})));
    }

    #[test]
    fn tells_where_something_does_not_fit() {
        refused(r#"{"name":1}"#, "name", "invalid type: integer `1`, expected a string");
        refused(r#"{"name":[1]}"#, "name", "invalid type: sequence, expected a string");
        refused(r#"{"name":"x","numbers":[1,2,300]}"#, "numbers[2]", "invalid value: integer `300`, expected u8");
        refused(r#"{"name":"x", "numbers": [1, {}]}"#, "numbers[1]", "invalid type: map, expected u8");
        refused(r#"{"name":"x","address":{"city":{}}}"#, "address.city", "invalid type: map, expected a string");
        refused("{\"name\":\"x\",\"address\":\n{\n\n\"city\"\n:\nnull}}", "address.city", "invalid type: null");
        refused(r#"{"name":"x","address":{}}"#, "address", "missing field `city`");
        refused(
            r#"{"name":"x","address":{"city":"y","zip":[1]}}"#,
            "address.zip",
            "unknown field `zip`, expected `city`",
        );
        refused(
            r#"{"name":"x","more":{"k":[{"city":"y"}],"a.b":[{"city":"y"},{"city":"]}"},{"city":7}]}}"#,
            "more.a.b[2].city",
            "invalid type: integer `7`",
        );
    }

    #[test]
    fn tells_what_is_wrong_with_the_whole() {
        refused("{}", "", "missing field `name`");
        refused(r#"{"name":"x","nmae":{"a":[1]}}"#, "nmae", "unknown field `nmae`, expected one of");
        refused(r#"{"name":"x","name":"y"}"#, "name", "duplicate field `name`");
        refused("[]", "", "expected an object");
        refused("null", "", "expected an object");
        refused("\"{\"", "", "expected an object");
    }
}
