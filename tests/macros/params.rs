//! Parameters as data: fields, JSON, schemas, secrets, rules.

use ddd_core::{Task, task};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json as value};

use crate::support::json;

#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
struct Address {
    /// Where.
    city: String,
}

/// Sends a parcel.
#[task]
async fn send_parcel(
    /// To whom.
    #[schemars(length(min = 2))]
    to: String,
    address: Address,
    note: Option<String>,
    r#type: u8,
) -> Result<Vec<u64>, String> {
    drop((to, address, note, r#type));
    Ok(Vec::new())
}

#[task]
async fn with_serde(
    #[serde(default = "five")] count: u32,
    #[serde(rename = "e-mail", alias = "mail")]
    #[secret]
    email: String,
    address: Address,
) {
    drop((count, email, address));
}

const fn five() -> u32 {
    5
}

#[task]
async fn nothing() {}

#[task]
async fn ruled(#[garde(length(min = 3))] name: String, #[garde(range(max = 10))] count: u32, free: String) {
    drop((name, count, free));
}

#[task]
async fn login(user: String, #[secret] password: String) {
    drop((user, password));
}

fn check<T: Task>(params: &str) -> Result<(), (String, String)> {
    (T::definition().check)(&json(params)).map(drop).map_err(|it| (it.path, it.message))
}

#[track_caller]
fn refused<T: Task>(params: &str, path: &str, message: &str) {
    let (found, text) = check::<T>(params).unwrap_err();
    assert_eq!(found, path, "{text}");
    assert!(text.starts_with(message), "{text}");
}

fn schemas<T: Task>() -> (Value, Value) {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let schemas = (T::definition().schemas)(&mut generator);
    (schemas.params.to_value(), schemas.result.to_value())
}

#[test]
fn a_command_is_json_keyed_by_parameter_and_reads_back() {
    let command =
        send_parcel { to: "Ada".to_owned(), address: Address { city: "London".to_owned() }, note: None, r#type: 3 };
    let text = serde_json::to_string(&command).unwrap();
    assert_eq!(text, r#"{"to":"Ada","address":{"city":"London"},"note":null,"type":3}"#);
    let back = send_parcel::from_params(&json(&text)).unwrap();
    assert_eq!((back.to.as_str(), back.address.city.as_str(), back.note, back.r#type), ("Ada", "London", None, 3));
    let derived: send_parcel = serde_json::from_str(&text).unwrap();
    assert_eq!(derived.to, "Ada");
    assert_eq!(serde_json::to_string(&nothing {}).unwrap(), "{}");
}

#[test]
fn what_does_not_fit_is_refused_with_its_path() {
    check::<send_parcel>(r#"{"to":"Ada","address":{"city":"London"},"type":3}"#).unwrap();
    refused::<send_parcel>(r#"{"to":"Ada","address":{},"type":3}"#, "address", "missing field `city`");
    refused::<send_parcel>(r#"{"to":"Ada","address":{"city":1},"type":3}"#, "address.city", "invalid type");
    refused::<send_parcel>(r#"{"to":"Ada","address":{"city":"x"}}"#, "", "missing field `type`");
    refused::<send_parcel>(
        r#"{"to":"Ada","adress":{"city":"x"}}"#,
        "adress",
        "unknown field `adress`, expected one of",
    );
    refused::<send_parcel>(r#"{"to":"a","to":"b"}"#, "to", "duplicate field `to`");
    refused::<send_parcel>("[]", "", "expected an object");
    check::<nothing>("{}").unwrap();
    refused::<nothing>(r#"{"a":1}"#, "a", "unknown field `a`, there are no fields");
}

#[test]
fn serde_attributes_keep_their_meaning_and_the_paths() {
    check::<with_serde>(r#"{"mail":"a@b","address":{"city":"x"}}"#).unwrap();
    let task = with_serde::from_params(&json(r#"{"e-mail":"a@b","address":{"city":"x"}}"#)).unwrap();
    assert_eq!((task.count, task.email.as_str()), (5, "a@b"));
    refused::<with_serde>(r#"{"email":"a@b","address":{"city":"x"}}"#, "email", "unknown field `email`");
    refused::<with_serde>(r#"{"mail":"a@b","address":{"city":null}}"#, "address.city", "invalid type: null");
}

#[test]
fn schemas_carry_documentation_and_constraints() {
    let (params, result) = schemas::<send_parcel>();
    assert_eq!(params["description"], "Sends a parcel.");
    assert_eq!(params["additionalProperties"], false);
    assert_eq!(params["required"], value!(["to", "address", "type"]));
    assert_eq!(params["properties"]["to"], value!({"description": "To whom.", "type": "string", "minLength": 2}));
    assert_eq!(result["type"], "array");
    let (params, result) = schemas::<nothing>();
    assert_eq!(params["type"], "object");
    assert_eq!(params["additionalProperties"], false);
    assert_eq!(result["type"], "null");
}

#[test]
fn secrets_are_named_as_in_json_and_never_shown() {
    assert_eq!(login::definition().secrets, ["password"]);
    assert_eq!(with_serde::definition().secrets, ["e-mail", "mail"]);
    let command = login { user: "ada".to_owned(), password: "sesame".to_owned() };
    assert_eq!(format!("{command:?}"), r#"login { user: "ada", password: *** }"#);
    assert_eq!(serde_json::to_string(&command).unwrap(), r#"{"user":"ada","password":"sesame"}"#);
    assert_eq!(schemas::<login>().0["properties"]["password"]["writeOnly"], true);
    let renamed = with_serde { count: 1, email: "a@b".to_owned(), address: Address { city: "London".to_owned() } };
    assert!(!format!("{renamed:?}").contains("a@b"));
}

#[test]
fn garde_rules_hold_at_submission_with_their_path() {
    check::<ruled>(r#"{"name":"Ada","count":10,"free":""}"#).unwrap();
    refused::<ruled>(r#"{"name":"Al","count":10,"free":""}"#, "name", "length is lower than 3");
    refused::<ruled>(r#"{"name":"Ada","count":11,"free":""}"#, "count", "greater than 10");
    let short = ruled { name: "A".to_owned(), count: 1, free: String::new() };
    assert_eq!(short.validate().unwrap_err().path, "name");
}
