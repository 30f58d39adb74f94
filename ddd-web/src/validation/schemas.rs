//! The schemas of tasks, made once, and validators compiled from them.

use std::{collections::HashMap, sync::OnceLock};

use ddd_core::{Registered, Registry, ports::Schemas};
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// The schemas of all definitions, each made when it is first asked for.
#[derive(Debug)]
pub(crate) struct Catalogue(HashMap<&'static str, OnceLock<Checked>>);

/// The schemas of a definition.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) schemas: Schemas,
    /// What checks parameters; `None` if the schema cannot be compiled, and then the core's own check is all there is.
    pub(crate) validator: Option<Validator>,
    /// Whether the schema asks for more than the types of the parameters do, so that parameters which can be read may
    /// still break it.
    pub(crate) says_more_than_types: bool,
}

impl Catalogue {
    pub(crate) fn new(registry: &Registry) -> Self {
        Self(registry.iter().map(|it| (it.definition.name, OnceLock::new())).collect())
    }

    /// The schemas of a definition of the registry that this was made from.
    pub(crate) fn of(&self, registered: &Registered) -> Option<&Checked> {
        Some(self.0.get(registered.definition.name)?.get_or_init(|| Checked::new(registered)))
    }
}

impl Checked {
    fn new(registered: &Registered) -> Self {
        let schemas = registered.schemas();
        let schema = schemas.params.as_value();
        // The engine that takes no longer for a hostile text than for another.
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
        let validator = options.build(schema).inspect_err(|error| {
            tracing::warn!(task = registered.definition.name, %error, "the schema of the parameters cannot be compiled; \
                parameters are checked by their types only");
        });
        let says_more_than_types = says_more(schema);
        Self { schemas, validator: validator.ok(), says_more_than_types }
    }
}

/// Whether a schema has keywords that the types behind it do not stand for.
fn says_more(schema: &Value) -> bool {
    /// Keywords that every reader of the type enforces, or that enforce nothing.
    const OF_TYPES: [&str; 16] = [
        "$ref",
        "$schema",
        "additionalProperties",
        "anyOf",
        "const",
        "default",
        "deprecated",
        "description",
        "enum",
        "examples",
        "format",
        "items",
        "oneOf",
        "required",
        "title",
        "type",
    ];
    let Some(schema) = schema.as_object() else { return false };
    schema.iter().any(|(keyword, value)| match keyword.as_str() {
        "properties" | "$defs" => value.as_object().is_some_and(|it| it.values().any(says_more)),
        "items" | "additionalProperties" => says_more(value),
        "oneOf" | "anyOf" => value.as_array().is_some_and(|it| it.iter().any(says_more)),
        "minimum" | "maximum" => !is_of_format(schema.get("format"), keyword, value),
        known => !OF_TYPES.contains(&known),
    })
}

/// Whether a bound is that of the integer's type itself.
fn is_of_format(format: Option<&Value>, keyword: &str, bound: &Value) -> bool {
    let bound = bound.as_i64();
    match (format.and_then(Value::as_str), keyword) {
        (Some("uint8" | "uint16" | "uint32" | "uint64" | "uint128" | "uint"), "minimum") => bound == Some(0),
        (Some("uint8"), _) => bound == Some(i64::from(u8::MAX)),
        (Some("uint16"), _) => bound == Some(i64::from(u16::MAX)),
        (Some("int8"), "minimum") => bound == Some(i64::from(i8::MIN)),
        (Some("int8"), _) => bound == Some(i64::from(i8::MAX)),
        (Some("int16"), "minimum") => bound == Some(i64::from(i16::MIN)),
        (Some("int16"), _) => bound == Some(i64::from(i16::MAX)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;

    use super::*;

    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its schema is wanted")]
    struct Plain {
        text: String,
        numbers: Vec<u8>,
        signed: (i8, i16, i32, i64, isize),
        unsigned: (u16, u32, u64, usize),
        float: f64,
        option: Option<bool>,
        map: BTreeMap<String, Shape>,
        nested: Box<Option<Shape>>,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is wanted")]
    enum Shape {
        Point,
        Circle { radius: f32 },
        Named(String),
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is wanted")]
    struct Bounded {
        #[schemars(range(max = 10))]
        number: u8,
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is wanted")]
    struct Deep {
        all: Vec<Option<Bounded>>,
    }

    #[test]
    fn what_types_ask_for_is_told_from_what_attributes_add() {
        let mut plain = schemars::schema_for!(Plain).to_value();
        // Tuples have a fixed number of elements, which is written in words that attributes use too.
        if let Some(properties) = plain["properties"].as_object_mut() {
            for name in ["signed", "unsigned"] {
                if let Some(tuple) = properties.remove(name) {
                    for element in tuple["prefixItems"].as_array().into_iter().flatten() {
                        assert!(!says_more(element), "{element}");
                    }
                }
            }
        }
        assert!(!says_more(&plain), "{plain}");
        assert!(says_more(schemars::schema_for!(Bounded).as_value()));
        assert!(says_more(schemars::schema_for!(Deep).as_value()));
    }
}
