//! How the struct of a task is read from any format: what serde's derived code does, compiled once here rather than once
//! per task in its user's build. Where an attribute of serde's stands on a parameter, the derived code is used instead.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

/// Names of fields, in order.
type Names = &'static [&'static str];

/// Reads the fields of the struct `name` as a tuple.
///
/// # Errors
/// What is read does not fit them.
pub fn fields<'de, T: Fields<'de>, D: Deserializer<'de>>(
    deserializer: D,
    name: &'static str,
    names: Names,
) -> Result<T, D::Error> {
    deserializer.deserialize_struct(name, names, Struct { name, names, fields: PhantomData })
}

/// A tuple of values that can be read: up to twelve.
pub trait Fields<'de>: Sized {
    /// From a map with these keys.
    ///
    /// # Errors
    /// A key is unknown, missing or doubled, or a value does not fit.
    fn from_map<A: MapAccess<'de>>(map: A, names: Names) -> Result<Self, A::Error>;

    /// From a sequence in this order.
    ///
    /// # Errors
    /// It is too short, or a value does not fit.
    fn from_seq<A: SeqAccess<'de>>(seq: A, expected: &dyn serde::de::Expected) -> Result<Self, A::Error>;
}

struct Struct<T> {
    name: &'static str,
    names: Names,
    fields: PhantomData<T>,
}

impl<'de, T: Fields<'de>> Visitor<'de> for Struct<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "struct {}", self.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_map(map, self.names)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        let expected = format!("struct {} with {} elements", self.name, self.names.len());
        T::from_seq(seq, &expected.as_str())
    }
}

/// Reads a key as its index among the names.
struct Index(Names);

impl<'de> DeserializeSeed<'de> for Index {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Index {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("field identifier")
    }

    fn visit_u64<E: Error>(self, index: u64) -> Result<usize, E> {
        let found = usize::try_from(index).ok().filter(|it| *it < self.0.len());
        found.ok_or_else(|| E::custom(format_args!("field index {index} is outside 0..{}", self.0.len())))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<usize, E> {
        self.0.iter().position(|it| *it == key).ok_or_else(|| E::unknown_field(key, self.0))
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<usize, E> {
        self.visit_str(&String::from_utf8_lossy(key))
    }
}

/// What is missing: nothing to an `Option`, an error to all else.
pub(super) fn missing<'de, T: Deserialize<'de>, E: Error>(name: &'static str) -> Result<T, E> {
    T::deserialize(Missing(name, PhantomData))
}

struct Missing<E>(&'static str, PhantomData<E>);

impl<'de, E: Error> Deserializer<'de> for Missing<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, E> {
        Err(E::missing_field(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

macro_rules! tuples {
    ($(($($T:ident $value:ident $index:tt),*))+) => {$(
        impl<'de, $($T: Deserialize<'de>),*> Fields<'de> for ($($T,)*) {
            #[allow(clippy::never_loop, unused_variables, reason = "the empty tuple")]
            fn from_map<A: MapAccess<'de>>(mut map: A, names: Names) -> Result<Self, A::Error> {
                $(let mut $value: Option<$T> = None;)*
                while let Some(index) = map.next_key_seed(Index(names))? {
                    match index {
                        $($index => {
                            if $value.is_some() {
                                return Err(A::Error::duplicate_field(names[$index]));
                            }
                            $value = Some(map.next_value()?);
                        })*
                        _ => return Err(A::Error::custom("no such field")),
                    }
                }
                Ok(($(match $value {
                    Some(value) => value,
                    None => missing(names[$index])?,
                },)*))
            }

            #[allow(unused_variables, unused_mut, reason = "the empty tuple")]
            fn from_seq<A: SeqAccess<'de>>(
                mut seq: A,
                expected: &dyn serde::de::Expected,
            ) -> Result<Self, A::Error> {
                Ok(($(match seq.next_element()? {
                    Some(value) => value,
                    None => return Err(A::Error::invalid_length($index, expected)),
                },)*))
            }
        }
    )+};
}

tuples! {
    ()
    (A0 a 0)
    (A0 a 0, B b 1)
    (A0 a 0, B b 1, C c 2)
    (A0 a 0, B b 1, C c 2, D d 3)
    (A0 a 0, B b 1, C c 2, D d 3, E e 4)
    (A0 a 0, B b 1, C c 2, D d 3, E e 4, F f 5)
    (A0 a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6)
    (A0 a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7)
    (A0 a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8)
    (A0 a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9)
    (A0 a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10)
    (A0 a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10, L l 11)
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, SeqDeserializer, U32Deserializer};

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Derived {
        a: u8,
        b: Option<String>,
    }

    #[derive(Debug, PartialEq)]
    struct ByHand {
        a: u8,
        b: Option<String>,
    }

    impl<'de> Deserialize<'de> for ByHand {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let (a, b) = fields(deserializer, "Derived", &["a", "b"])?;
            Ok(Self { a, b })
        }
    }

    /// What the derived code says, and the same of ours.
    fn same(json: &str) {
        let derived = serde_json::from_str::<Derived>(json).map(|it| (it.a, it.b)).map_err(|it| it.to_string());
        let ours = serde_json::from_str::<ByHand>(json).map(|it| (it.a, it.b)).map_err(|it| it.to_string());
        assert_eq!(ours, derived, "{json}");
    }

    #[test]
    fn says_what_the_derived_code_says() {
        same(r#"{"a":1,"b":"x"}"#);
        same(r#"{"b":null,"a":1}"#);
        same(r#"{"a":1}"#);
        same(r#"{"b":"x"}"#);
        same(r#"{"a":1,"a":2}"#);
        same(r#"{"a":300}"#);
        same(r#"{"a":1,"c":2}"#);
        same(r#"[1,"x"]"#);
        same("[1]");
        same("[1,null,2]");
        same("null");
        same("7");
    }

    #[test]
    fn takes_keys_as_formats_write_them() {
        let seq = SeqDeserializer::<_, Error>::new([1_u8].into_iter());
        assert_eq!(ByHand::deserialize(seq).map_err(|it| it.to_string()), {
            let seq = SeqDeserializer::<_, Error>::new([1_u8].into_iter());
            Derived::deserialize(seq).map(|it| ByHand { a: it.a, b: it.b }).map_err(|it| it.to_string())
        });
        assert_eq!(Index(&["a", "b"]).deserialize(U32Deserializer::<Error>::new(1)), Ok(1));
        assert!(Index(&["a", "b"]).deserialize(U32Deserializer::<Error>::new(2)).is_err());
    }
}
