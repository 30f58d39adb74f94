use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

use super::{sections::Sections, service::Declared};

/// The JSON Schema of a file of settings. What other sections a service has is open.
pub(crate) fn schema(declared: &[Declared]) -> Value {
    // The draft that editors read best.
    let settings = SchemaSettings::draft07().with(|it| it.inline_subschemas = true);
    let mut generator = SchemaGenerator::new(settings);
    let mut root = Sections::json_schema(&mut generator).to_value();
    let own = declared.iter().filter_map(|it| Some((it.name.clone(), (it.schema?)(&mut generator).to_value())));
    let own: Vec<_> = own.collect();
    if let Some(properties) = root.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(own);
    }
    if let Some(root) = root.as_object_mut() {
        root.remove("additionalProperties");
        root.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        root.insert("title".to_owned(), json!("Settings"));
    }
    root
}
