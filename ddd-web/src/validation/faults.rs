//! What is wrong with parameters: all of it, with its places.

use ddd_core::domain::closest;
use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use crate::problem::{Fault, Problem, pointer};

/// The faults that are told, and how many more there are.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) told: Vec<Fault>,
    pub(crate) more: usize,
}

/// What a validator has against parameters, which are at `base` in the body. Values are never told: they may be secret.
///
/// Every fault that is found takes memory until the last one is, so of `many` values only the first fault is looked for.
pub(crate) fn of(validator: &Validator, schema: &Value, params: &Value, base: &str, many: bool) -> Faults {
    let mut finder = Finder { schema, base, faults: Faults::default() };
    if many {
        validator.validate(params).err().iter().for_each(|it| finder.take(it));
    } else {
        validator.iter_errors(params).for_each(|it| finder.take(&it));
    }
    finder.faults
}

struct Finder<'a> {
    schema: &'a Value,
    base: &'a str,
    faults: Faults,
}

impl Finder<'_> {
    fn take(&mut self, error: &ValidationError<'_>) {
        if self.faults.told.len() == Problem::MOST_ERRORS {
            self.faults.more += match error.kind() {
                Kind::AdditionalProperties { unexpected } => unexpected.len(),
                _ => 1,
            };
            return;
        }
        match error.kind() {
            Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    self.unknown(name, error);
                }
            }
            Kind::Required { property } => {
                let place = member(self.place(error), property.as_str().unwrap_or_default());
                self.push(place, "is missing".to_owned());
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => self.no_form_fits(error, context),
            kind => {
                let place = self.place(error);
                self.push(place, words(kind));
            }
        }
    }

    /// None of several forms fits. If only one can have been meant, its faults are told; else, which values there are.
    fn no_form_fits(&mut self, error: &ValidationError<'_>, forms: &[Vec<ValidationError<'static>>]) {
        let here = error.instance_path().as_str();
        // A form of another type was not meant: `null` beside an object is an optional one that is there.
        let is_other = |form: &&Vec<ValidationError<'static>>| {
            form.iter().any(|it| matches!(it.kind(), Kind::Type { .. }) && it.instance_path().as_str() == here)
        };
        let meant: Vec<_> = forms.iter().filter(|it| !is_other(it)).collect();
        if let [form] = &meant[..] {
            form.iter().for_each(|it| self.take(it));
            return;
        }
        let values: Vec<_> = forms.iter().flatten().filter_map(|it| allowed(it.kind())).collect();
        let place = self.place(error);
        if !values.is_empty() && values.len() == forms.len() {
            self.push(place, format!("is none of {}", values.join(", ")));
        } else {
            self.push(place, format!("has none of the {} forms that are taken", forms.len()));
        }
    }

    /// A member that is not known, with the one that was probably meant.
    fn unknown(&mut self, name: &str, error: &ValidationError<'_>) {
        if self.faults.told.len() == Problem::MOST_ERRORS {
            self.faults.more += 1;
            return;
        }
        let of = error.schema_path().as_str().rsplit_once('/').map_or("", |it| it.0);
        let known = self.schema.pointer(of).and_then(|it| it["properties"].as_object());
        let meant = known.and_then(|it| closest(name, it.keys().map(String::as_str)));
        let hint = meant.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default();
        let place = member(self.place(error), name);
        self.push(place, format!("is not known here{hint}"));
    }

    fn place(&self, error: &ValidationError<'_>) -> String {
        format!("{}{}", self.base, error.instance_path().as_str())
    }

    fn push(&mut self, place: String, detail: String) {
        if self.faults.told.len() < Problem::MOST_ERRORS {
            self.faults.told.push(Fault::at(place, detail));
        } else {
            self.faults.more += 1;
        }
    }
}

fn member(mut place: String, name: &str) -> String {
    pointer::push(&mut place, name);
    place
}

/// The values that a rule allows, if it names them.
fn allowed(kind: &Kind) -> Option<String> {
    let quoted = |it: &Value| format!("`{}`", it.as_str().map_or_else(|| it.to_string(), str::to_owned));
    match kind {
        Kind::Constant { expected_value } => Some(quoted(expected_value)),
        Kind::Enum { options } => Some(options.as_array()?.iter().map(quoted).collect::<Vec<_>>().join(", ")),
        _ => None,
    }
}

/// What a rule asks for, in words.
fn words(kind: &Kind) -> String {
    if let Some(values) = allowed(kind) {
        return format!("is none of {values}");
    }
    match kind {
        Kind::Type { kind: TypeKind::Single(it) } => format!("is not of type {it}"),
        Kind::Type { kind: TypeKind::Multiple(all) } => {
            let all: Vec<_> = all.iter().map(|it| it.to_string()).collect();
            format!("is of none of the types {}", all.join(", "))
        }
        Kind::Minimum { limit } => format!("is less than {limit}"),
        Kind::Maximum { limit } => format!("is more than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("is not more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("is not less than {limit}"),
        Kind::MinLength { limit } => format!("has fewer than {limit} characters"),
        Kind::MaxLength { limit } => format!("has more than {limit} characters"),
        Kind::MinItems { limit } => format!("has fewer than {limit} elements"),
        Kind::MaxItems { limit } => format!("has more than {limit} elements"),
        Kind::AdditionalItems { limit } => format!("has more than {limit} elements"),
        Kind::MinProperties { limit } => format!("has fewer than {limit} members"),
        Kind::MaxProperties { limit } => format!("has more than {limit} members"),
        Kind::MultipleOf { multiple_of } => format!("is no multiple of {multiple_of}"),
        Kind::Pattern { pattern } => format!("does not match the pattern `{pattern}`"),
        Kind::Format { format } => format!("is not of the format `{format}`"),
        Kind::UniqueItems => "has an element twice".to_owned(),
        other => format!("breaks the rule `{}` of its schema", other.keyword()),
    }
}
