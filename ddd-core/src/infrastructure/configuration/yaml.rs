//! YAML, with the line of every value. The library parses; what is built here keeps the lines, and refuses what would be
//! guessed at otherwise: keys that come twice, anchors, tags, several documents.

use std::{collections::BTreeMap, sync::Arc};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use crate::domain::{ConfigurationLayer, ConfigurationOrigin, ConfigurationProblem, Node, NodeValue};

/// How deeply settings may be nested.
const DEEPEST: usize = 32;

/// The settings that a YAML text holds. `place` is its file's name.
///
/// # Errors
/// Everything that is wrong with it, each with its line. What follows a mistake in the grammar is not looked at.
pub(crate) fn yaml(text: &str, layer: ConfigurationLayer, place: &Arc<str>) -> Result<Node, Vec<ConfigurationProblem>> {
    let mut reader = Reader { parser: Parser::new_from_str(text), layer, place, text, problems: Vec::new() };
    let root = match reader.document() {
        Ok(root) => root,
        Err(problem) => {
            reader.problems.push(problem);
            return Err(reader.problems);
        }
    };
    let mut problems = reader.problems;
    if !matches!(root.value, NodeValue::Map(_)) {
        let message = format!("the file holds {}; write settings by name, such as `tasks:`", root.kind());
        problems.push(ConfigurationProblem::new(Some(root.origin.clone()), "", message));
    }
    if problems.is_empty() { Ok(root) } else { Err(problems) }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    layer: ConfigurationLayer,
    place: &'a Arc<str>,
    text: &'a str,
    problems: Vec<ConfigurationProblem>,
}

impl<'a> Reader<'a> {
    /// The one document of the file; an empty file is one without settings.
    fn document(&mut self) -> Result<Node, ConfigurationProblem> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(root.unwrap_or_else(|| Node::empty(self.origin(1)))),
                _ if root.is_some() => return Err(self.problem(span, "a second document begins here; write one")),
                event => {
                    let node = self.node(event, span, 0)?;
                    let is_nothing = matches!(node.value, NodeValue::Null);
                    root = Some(if is_nothing { Node::empty(node.origin) } else { node });
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, ConfigurationProblem> {
        if depth > DEEPEST {
            return Err(self.problem(span, "settings are nested more than 32 levels deep"));
        }
        let origin = self.origin(span.start.line());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_extras(span, anchor, tag.is_some());
                let value = if style == ScalarStyle::Plain { plain(&text) } else { NodeValue::Text(text.into_owned()) };
                Ok(Node::new(value, origin))
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_extras(span, anchor, tag.is_some());
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => return Ok(Node::new(NodeValue::List(items), origin)),
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_extras(span, anchor, tag.is_some());
                let entries = self.entries(depth)?;
                Ok(Node::new(NodeValue::Map(entries), origin))
            }
            Event::Alias(_) => Err(self.problem(span, "aliases (`*name`) are not read; write the value itself")),
            _ => Err(self.problem(span, "a value was expected here")),
        }
    }

    fn entries(&mut self, depth: usize) -> Result<BTreeMap<String, Node>, ConfigurationProblem> {
        let mut entries = BTreeMap::<String, Node>::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(key, ..) => key.into_owned(),
                _ => return Err(self.problem(span, "the name of a setting is a text")),
            };
            let (event, value_span) = self.next()?;
            let mut value = self.node(event, value_span, depth + 1)?;
            // What is told of a setting is told at its name.
            value.origin = self.origin(span.start.line());
            if let Some(first) = entries.get(&key) {
                let first = first.origin.line.unwrap_or_default();
                let message = format!("it is already set in line {first}; remove one of the two");
                self.problems.push(ConfigurationProblem::new(Some(value.origin), key, message));
            } else {
                entries.insert(key, value);
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), ConfigurationProblem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.grammar(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// A mistake in the grammar; a tab in the indentation is the one that nobody sees.
    fn grammar(&self, error: &ScanError) -> ConfigurationProblem {
        let line = error.marker().line();
        let indent = |it: &str| it.len() - it.trim_start().len();
        let tabbed = |it: &str| it.get(..indent(it)).is_some_and(|it| it.contains('\t'));
        let near = self.text.lines().enumerate().take(line).skip(line.saturating_sub(2));
        match near.filter(|(_, it)| tabbed(it)).last() {
            Some((tabbed, _)) => {
                let message = "the line is indented by a tab; write spaces";
                ConfigurationProblem::new(Some(self.origin(tabbed + 1)), "", message)
            }
            None => {
                let message = format!("this is not YAML: {}", error.info());
                ConfigurationProblem::new(Some(self.origin(line)), "", message)
            }
        }
    }

    fn refuse_extras(&mut self, span: Span, anchor: usize, has_tag: bool) {
        if anchor != 0 {
            let problem = self.problem(span, "anchors (`&name`) are not read; write the value where it is needed");
            self.problems.push(problem);
        }
        if has_tag {
            let problem = self.problem(span, "tags (`!name`) are not read; write the value alone");
            self.problems.push(problem);
        }
    }

    fn problem(&self, span: Span, message: &str) -> ConfigurationProblem {
        ConfigurationProblem::new(Some(self.origin(span.start.line())), "", message)
    }

    fn origin(&self, line: usize) -> ConfigurationOrigin {
        ConfigurationOrigin::new(self.layer, self.place.clone(), Some(line.max(1)))
    }
}

/// What a scalar without quotes means (YAML 1.2, core schema).
fn plain(text: &str) -> NodeValue {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return NodeValue::Null,
        "true" | "True" | "TRUE" => return NodeValue::Bool(true),
        "false" | "False" | "FALSE" => return NodeValue::Bool(false),
        _ => {}
    }
    if let Ok(number) = text.parse::<i64>() {
        return NodeValue::Integer(number);
    }
    let begins_like_a_number = text.starts_with(|it: char| it.is_ascii_digit() || matches!(it, '-' | '+' | '.'));
    match text.parse::<f64>() {
        Ok(number) if begins_like_a_number && number.is_finite() => NodeValue::Float(number),
        _ => NodeValue::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, Vec<String>> {
        let read = yaml(text, ConfigurationLayer::DefaultFile, &"a.yaml".into());
        read.map_err(|it| it.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_value_knows_its_line() {
        let tree = read("tasks:\n  slots: 8\n  queues: [a, b]\n\nlog:\n  level: \"7\"\n")
            .unwrap_or_else(|it| panic!("{it:?}"));
        let slots = tree.at(["tasks", "slots"]).map(|it| (it.value.clone(), it.origin.to_string()));
        assert_eq!(slots, Some((NodeValue::Integer(8), "a.yaml:2".to_owned())));
        let level = tree.at(["log", "level"]).map(|it| (it.value.clone(), it.origin.line));
        assert_eq!(level, Some((NodeValue::Text("7".to_owned()), Some(6))));
        let queues = tree.at(["tasks", "queues"]).map(|it| it.value.clone());
        assert!(matches!(queues, Some(NodeValue::List(items)) if items.len() == 2));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let cases = [
            ("a: 1\nb: 2\na: 3\n", "a.yaml:3: `a`: it is already set in line 1; remove one of the two"),
            ("a:\n\tb: 1\n", "a.yaml:2: the line is indented by a tab; write spaces"),
            ("- 1\n", "a.yaml:1: the file holds a list; write settings by name, such as `tasks:`"),
            ("a: 1\n---\nb: 2\n", "a.yaml:3: a second document begins here; write one"),
            ("a: &x 1\n", "a.yaml:1: anchors (`&name`) are not read; write the value where it is needed"),
            ("a: !x 1\n", "a.yaml:1: tags (`!name`) are not read; write the value alone"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Err(vec![expected.to_owned()]), "{text}");
        }
        let broken = read("a: [1, 2\nb: 3\n");
        assert!(matches!(&broken, Err(it) if it.len() == 1 && it[0].contains("this is not YAML")), "{broken:?}");
        let deep = format!("a: {}1{}", "[".repeat(1_000), "]".repeat(1_000));
        assert!(read(&deep).is_err());
    }

    #[test]
    fn an_empty_file_has_no_settings() {
        for text in ["", "# nothing\n", "---\n"] {
            assert!(matches!(read(text).map(|it| it.value), Ok(NodeValue::Map(it)) if it.is_empty()), "{text:?}");
        }
    }
}
