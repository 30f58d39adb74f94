//! JSON pointers, RFC 6901.

/// Appends a member to a pointer.
pub(crate) fn push(pointer: &mut String, member: &str) {
    pointer.push('/');
    for character in member.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// The pointer of a path as the core writes it, such as `lines[2].price`, below `base`.
///
/// A path does not tell a point between members from one in a member's name; the former is far more likely.
pub(crate) fn of_path(base: &str, path: &str) -> String {
    let mut pointer = base.to_owned();
    for part in path.split(['.', '[']).filter(|it| !it.is_empty()) {
        push(&mut pointer, part.strip_suffix(']').unwrap_or(part));
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_pointers() {
        assert_eq!(of_path("/params", ""), "/params");
        assert_eq!(of_path("/params", "lines[2].price"), "/params/lines/2/price");
        assert_eq!(of_path("", "a/b.c~d"), "/a~1b/c~0d");
    }
}
