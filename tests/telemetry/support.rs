//! One log for all tests of the process.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, OnceLock},
};

use ddd_core::{
    Origin,
    telemetry::{LogFormat, Panics, Telemetry},
};
use serde_json::Value;

/// What was written. Every test finds its own lines by what only it logs.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// All lines; each is checked to be one JSON object without two members of one name.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().split_terminator('\n').map(parsed).collect()
    }

    /// The lines that this is true of.
    pub(crate) fn where_(&self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.lines().into_iter().filter(wanted).collect()
    }
}

/// A line of the log, read strictly.
pub(crate) fn parsed(line: &str) -> Value {
    struct Members;
    impl<'de> serde::de::Visitor<'de> for Members {
        type Value = Vec<(String, Value)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(line);
    let members =
        serde::Deserializer::deserialize_map(&mut reader, Members).unwrap_or_else(|it| panic!("{it}: {line}"));
    reader.end().unwrap_or_else(|it| panic!("{it}: {line}"));
    let count = members.len();
    let object: serde_json::Map<_, _> = members.into_iter().collect();
    assert_eq!(object.len(), count, "two members have one name: {line}");
    assert!(!line.contains(|it: char| it.is_control()), "{line:?}");
    for key in ["timestamp", "level", "target"] {
        assert!(object.get(key).is_some_and(Value::is_string), "no {key}: {line}");
    }
    assert!(ddd_core::Timestamp::parse(object["timestamp"].as_str().unwrap()).is_ok(), "{line}");
    Value::Object(object)
}

/// Sets telemetry up, once for all tests of the process.
pub(crate) fn log() -> (Telemetry, Log) {
    static INSTALLED: OnceLock<(Telemetry, Log)> = OnceLock::new();
    let install = || {
        let log = Log::default();
        let builder = Telemetry::builder()
            .format(LogFormat::Json)
            .panics(Panics::LoggedAndPassedOn)
            .level("info,levels_test=off")
            .to_writer(log.clone());
        (builder.install().unwrap(), log)
    };
    INSTALLED.get_or_init(install).clone()
}

pub(crate) fn origin(request_id: &str, traceparent: Option<&str>) -> Origin {
    let mut origin = Origin::default();
    origin.request_id = Some(request_id.to_owned());
    origin.traceparent = traceparent.map(str::to_owned);
    origin
}
