//! Sizes in settings, as people write them: `"64KiB"`, `"1MiB"`, or a number of bytes. For `#[serde(with = …)]`.

use serde::{Deserializer, Serializer, de::Visitor};

const UNITS: [(&str, usize); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

fn parse(text: &str) -> Option<usize> {
    let digits = text.len() - text.trim_start_matches(|it: char| it.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim();
    let factor = if unit.is_empty() { 1 } else { UNITS.iter().find(|it| it.0.eq_ignore_ascii_case(unit))?.1 };
    number.parse::<usize>().ok()?.checked_mul(factor)
}

fn written(size: usize) -> String {
    let binary = UNITS[..3].iter().find(|it| size > 0 && size.is_multiple_of(it.1));
    let (unit, factor) = binary.copied().unwrap_or(("B", 1));
    format!("{}{unit}", size / factor)
}

#[allow(clippy::ref_option, reason = "the signature that serde calls")]
pub(crate) fn serialize<S: Serializer>(size: &Option<usize>, serializer: S) -> Result<S::Ok, S::Error> {
    match size {
        Some(it) => serializer.serialize_str(&written(*it)),
        None => serializer.serialize_none(),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    struct Size;
    impl<'de> Visitor<'de> for Size {
        type Value = Option<usize>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a size such as `64KiB` or `1MiB`")
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_any(self)
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<Self::Value, E> {
            usize::try_from(bytes).map(Some).map_err(|_| E::custom("the size is too large"))
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            let none = || E::custom(format!("`{text}` is no size; write a whole number and a unit: `64KiB`, `1MiB`"));
            parse(text.trim()).map(Some).ok_or_else(none)
        }
    }
    deserializer.deserialize_option(Size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for size in [0, 1, 1_000, 1 << 10, 3 << 20, (1 << 30) + 1] {
            assert_eq!(parse(&written(size)), Some(size), "{}", written(size));
        }
        assert_eq!((parse("64 kib"), parse("2MB"), parse("12")), (Some(65_536), Some(2_000_000), Some(12)));
        assert_eq!((parse("1.5MiB"), parse("MiB"), parse("1 XB"), parse("99999999999GiB")), (None, None, None, None));
    }
}
