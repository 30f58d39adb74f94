//! What was probably meant.

/// The longest text that anything is compared with: what is longer is no slip of the pen.
const LONGEST: usize = 200;

/// The candidate with the fewest edits to `text`, if they are at most a third of the longer one's length: what was probably
/// meant.
///
/// ```
/// use ddd_core::domain::closest;
///
/// assert_eq!(closest("timeuot", ["priority", "timeout"]), Some("timeout"));
/// assert_eq!(closest("ad", ["add", "subtract"]), Some("add"));
/// assert_eq!(closest("colour", ["priority", "timeout"]), None);
/// ```
#[must_use]
pub fn closest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if text.len() > LONGEST {
        return None;
    }
    let (edits, best) = candidates.into_iter().map(|it| (edit_distance(text, it), it)).min()?;
    (edits <= text.chars().count().max(best.chars().count()) / 3).then_some(best)
}

/// The edit distance in which two neighbours that are swapped count as one edit (optimal string alignment).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for (i, left) in a.iter().enumerate() {
        let above = &rows[i];
        let mut row = vec![i + 1];
        for (j, right) in b.iter().enumerate() {
            let mut least = (above[j] + usize::from(left != right)).min(row[j] + 1).min(above[j + 1] + 1);
            if i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
