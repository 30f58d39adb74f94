//! `.env`: variables for development. They never beat the environment.

use std::sync::Arc;

use super::environment::Variable;
use crate::domain::{ConfigurationLayer, ConfigurationOrigin, ConfigurationProblem};

/// The variables that the text of a `.env` file sets, and the lines that set nothing. `place` is its name.
pub(crate) fn dotenv(text: &str, place: &Arc<str>) -> (Vec<Variable>, Vec<ConfigurationProblem>) {
    let origin = |line| ConfigurationOrigin::new(ConfigurationLayer::Dotenv, place.clone(), line);
    let (mut variables, mut problems) = (Vec::new(), Vec::new());
    for read in dotenvy::from_read_iter(text.as_bytes()) {
        match read {
            Ok((name, value)) => {
                let origin = origin(line_of(text, &name));
                variables.push(Variable { name, value, origin });
            }
            Err(dotenvy::Error::LineParse(line, _)) => {
                let at = text.lines().position(|it| it.trim() == line.trim()).map(|it| it + 1);
                let message = "this line sets nothing; write `NAME=value`, with quotes around a value that has spaces";
                problems.push(ConfigurationProblem::new(Some(origin(at)), "", message));
            }
            // What else can go wrong is reading, and the text is read already.
            Err(error) => problems.push(ConfigurationProblem::new(Some(origin(None)), "", error.to_string())),
        }
    }
    (variables, problems)
}

/// The last line that sets `name`: it is the one that counts.
fn line_of(text: &str, name: &str) -> Option<usize> {
    let sets = |it: &str| {
        let it = it.trim_start();
        let it = it.strip_prefix("export ").unwrap_or(it).trim_start();
        it.strip_prefix(name).is_some_and(|it| it.trim_start().starts_with('='))
    };
    text.lines().enumerate().filter(|(_, it)| sets(it)).last().map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_know_their_lines_and_bad_lines_are_told() {
        let text = "# a comment\nexport A=1\n\nB=\"two words\"\n";
        let read = dotenv(text, &".env".into()).0;
        let told: Vec<_> = read.iter().map(|it| (it.name.as_str(), it.value.as_str(), it.origin.line)).collect();
        assert_eq!(told, [("A", "1", Some(2)), ("B", "two words", Some(4))]);
        let (variables, problems) = dotenv("A=1\nthis is wrong\nB=2\n", &".env".into());
        assert_eq!(variables.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().starts_with(".env:2: "), "{}", problems[0]);
    }
}
