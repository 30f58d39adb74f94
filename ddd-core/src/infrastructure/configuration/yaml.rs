//! YAML, with the line of every value. The library parses; what is built here keeps the lines, and refuses what would be
//! guessed at otherwise: keys that come twice, anchors, tags, several documents.

use std::{collections::BTreeMap, sync::Arc};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use crate::domain::{ConfigurationLayer, ConfigurationOrigin, ConfigurationProblem, Node, NodeValue};

/// How deeply settings may be nested.
const DEEPEST: usize = 32;

/// What was read of a file, and what is wrong with it, each with its line.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The settings that could be read.
    pub(crate) root: Node,
    /// What is wrong with settings that are in it all the same.
    pub(crate) remarks: Vec<ConfigurationProblem>,
    /// Where it could not be read: in which section, if that is known. Settings that stand there are missing.
    pub(crate) breaks: Vec<(Option<String>, ConfigurationProblem)>,
}

/// The settings that a YAML text holds. `place` is its file's name. Behind a mistake in the grammar, it is read on from the next
/// section.
pub(crate) fn yaml(text: &str, layer: ConfigurationLayer, place: &Arc<str>) -> Parsed {
    let origin = ConfigurationOrigin::new(layer, place.clone(), Some(1));
    let mut parsed = Parsed { root: Node::empty(origin), remarks: Vec::new(), breaks: Vec::new() };
    let mut rest = text.to_owned();
    loop {
        let mut reader =
            Reader { parser: Parser::new_from_str(&rest), layer, place, text: &rest, remarks: Vec::new(), end: None };
        let root = reader.document();
        parsed.remarks.append(&mut reader.remarks);
        let end = reader.end.take();
        if matches!(root.value, NodeValue::Map(_)) {
            parsed.root.overlay(root);
        } else if end.is_none() {
            let message = format!("the file holds {}; write settings by name, such as `tasks:`", root.kind());
            parsed.breaks.push((None, ConfigurationProblem::new(Some(root.origin.clone()), "", message)));
        }
        let Some(End { problem, section, line }) = end else { return parsed };
        parsed.breaks.push((section, problem));
        let Some(next) = line.and_then(|it| from_next_section(&rest, it)) else { return parsed };
        rest = next;
    }
}

/// The text with empty lines up to the first section that begins behind line `line`; `None` if there is none.
fn from_next_section(text: &str, line: usize) -> Option<String> {
    let next = text.lines().enumerate().skip(line).find(|(_, it)| section_of(it).is_some())?.0;
    let lines = text.lines().enumerate().flat_map(|(at, it)| [if at < next { "" } else { it }, "\n"]);
    Some(lines.collect())
}

/// The section that begins in a line.
fn section_of(line: &str) -> Option<&str> {
    let begins = line.starts_with(|it: char| it.is_alphanumeric() || it == '_');
    line.split_once(':').map(|it| it.0.trim_end()).filter(|_| begins)
}

/// Why the rest of a text was not read.
struct End {
    problem: ConfigurationProblem,
    /// In which section, if only that is touched.
    section: Option<String>,
    /// The line where the grammar breaks; `None` if what follows is not to be looked at.
    line: Option<usize>,
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    layer: ConfigurationLayer,
    place: &'a Arc<str>,
    text: &'a str,
    remarks: Vec<ConfigurationProblem>,
    /// Set where reading ended before the text did: all that is open is closed then.
    end: Option<End>,
}

impl<'a> Reader<'a> {
    /// The one document of the file; an empty file is one without settings.
    fn document(&mut self) -> Node {
        let mut root = None;
        loop {
            let (event, span) = self.next();
            match event {
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                Event::StreamEnd => return root.unwrap_or_else(|| Node::empty(self.origin(1))),
                _ if root.is_some() => {
                    let problem = self.problem(span, "a second document begins here; write one");
                    self.end = Some(End { problem, section: None, line: None });
                }
                event => {
                    let Some(node) = self.node(event, span, 0) else { continue };
                    let is_nothing = matches!(node.value, NodeValue::Null);
                    root = Some(if is_nothing { Node::empty(node.origin) } else { node });
                }
            }
        }
    }

    /// `None` if it cannot be read: then reading ends.
    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Option<Node> {
        if depth > DEEPEST {
            return self.break_off(span, "settings are nested more than 32 levels deep");
        }
        let origin = self.origin(span.start.line());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_extras(span, anchor, tag.is_some());
                let value = if style == ScalarStyle::Plain { plain(&text) } else { NodeValue::Text(text.into_owned()) };
                Some(Node::new(value, origin))
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_extras(span, anchor, tag.is_some());
                let mut items = Vec::new();
                loop {
                    match self.next() {
                        (Event::SequenceEnd | Event::StreamEnd, _) => {
                            return Some(Node::new(NodeValue::List(items), origin));
                        }
                        (event, span) => items.extend(self.node(event, span, depth + 1)),
                    }
                }
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_extras(span, anchor, tag.is_some());
                let entries = self.entries(depth);
                Some(Node::new(NodeValue::Map(entries), origin))
            }
            Event::Alias(_) => self.break_off(span, "aliases (`*name`) are not read; write the value itself"),
            _ => self.break_off(span, "a value was expected here"),
        }
    }

    fn entries(&mut self, depth: usize) -> BTreeMap<String, Node> {
        let mut entries = BTreeMap::<String, Node>::new();
        loop {
            let (event, span) = self.next();
            let key = match event {
                Event::MappingEnd | Event::StreamEnd => return entries,
                Event::Scalar(key, ..) => key.into_owned(),
                _ => {
                    self.break_off(span, "the name of a setting is a text");
                    continue;
                }
            };
            let (event, value_span) = self.next();
            let Some(mut value) = self.node(event, value_span, depth + 1) else { continue };
            // What is told of a setting is told at its name.
            value.origin = self.origin(span.start.line());
            if let Some(first) = entries.get(&key) {
                let first = first.origin.line.unwrap_or_default();
                let message = format!("it is already set in line {first}; remove one of the two");
                self.remarks.push(ConfigurationProblem::new(Some(value.origin), key, message));
            } else {
                entries.insert(key, value);
            }
        }
    }

    /// What comes next; the end, from a mistake on.
    fn next(&mut self) -> (Event<'a>, Span) {
        if self.end.is_none() {
            match self.parser.next_event() {
                Some(Ok(event)) => return event,
                Some(Err(error)) => {
                    let line = Some(error.marker().line());
                    let (section, problem) = self.grammar(&error);
                    self.end = Some(End { problem, section, line });
                }
                None => {}
            }
        }
        (Event::StreamEnd, Span::default())
    }

    /// Reads nothing more before the next section, unless that has happened already.
    fn break_off(&mut self, span: Span, message: &str) -> Option<Node> {
        let (problem, line) = (self.problem(span, message), span.start.line());
        let section = self.section_at(line);
        self.end.get_or_insert(End { problem, section, line: Some(line) });
        None
    }

    /// The section that line `line` belongs to.
    fn section_at(&self, line: usize) -> Option<String> {
        self.text.lines().take(line).filter_map(section_of).last().map(ToOwned::to_owned)
    }

    /// A mistake in the grammar, and the section that it touches, if no other; a tab in the indentation is the one that nobody sees.
    fn grammar(&self, error: &ScanError) -> (Option<String>, ConfigurationProblem) {
        let line = error.marker().line();
        let indent = |it: &str| it.len() - it.trim_start().len();
        let tabbed = |it: &str| it.get(..indent(it)).is_some_and(|it| it.contains('\t'));
        // A value may go on in the next line.
        let last = if error.info().contains("tab") { line + 1 } else { line };
        let near = self.text.lines().enumerate().take(last).skip(line.saturating_sub(2));
        match near.filter(|(_, it)| tabbed(it)).last() {
            Some((tabbed, _)) => {
                let message = "the line is indented by a tab; write spaces";
                (self.section_at(line), ConfigurationProblem::new(Some(self.origin(tabbed + 1)), "", message))
            }
            None => {
                let message = format!("this is not YAML: {}", error.info());
                (None, ConfigurationProblem::new(Some(self.origin(line)), "", message))
            }
        }
    }

    fn refuse_extras(&mut self, span: Span, anchor: usize, has_tag: bool) {
        if anchor != 0 {
            let problem = self.problem(span, "anchors (`&name`) are not read; write the value where it is needed");
            self.remarks.push(problem);
        }
        if has_tag {
            let problem = self.problem(span, "tags (`!name`) are not read; write the value alone");
            self.remarks.push(problem);
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
        let problems: Vec<_> =
            read.remarks.iter().chain(read.breaks.iter().map(|it| &it.1)).map(ToString::to_string).collect();
        if problems.is_empty() { Ok(read.root) } else { Err(problems) }
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
