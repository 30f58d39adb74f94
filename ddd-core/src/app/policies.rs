use crate::{application::Policies, infrastructure::linked_policies};

/// Every function policy that is linked into this program: what it is, how it stands, and how to change it.
///
/// ```
/// for policy in ddd_core::policies().list() {
///     println!("{} {} at {}:{}", policy.name, policy.kind, policy.file, policy.line);
/// }
/// ```
#[must_use]
pub fn policies() -> Policies {
    Policies::new(linked_policies())
}
