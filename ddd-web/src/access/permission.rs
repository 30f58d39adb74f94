use std::fmt;

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// Look at its own tasks and their results, and at the registry.
    Read,
    /// Submit tasks, with tags, and otherwise as their definitions say.
    Submit,
    /// Submit them also with a queue, priority, timeout, number of attempts, due time or unique key of its choice, and
    /// change priority and due time of its own. Includes [`Permission::Submit`].
    SubmitWithOptions,
    /// Cancel and retry its own tasks.
    Cancel,
    /// Look at everything: the tasks of all owners, statistics, queues, workers and schedules. Includes
    /// [`Permission::Read`].
    Observe,
    /// Everything, with the tasks of all owners.
    Admin,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Submit, Self::SubmitWithOptions, Self::Cancel, Self::Observe, Self::Admin];

    /// The permission as it is written in tables, options and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::SubmitWithOptions => "submit_with_options",
            Self::Cancel => "cancel",
            Self::Observe => "observe",
            Self::Admin => "admin",
        }
    }

    /// One bit for each permission that comes with this one.
    const fn bits(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Submit => 1 << 1,
            Self::SubmitWithOptions => 1 << 2 | Self::Submit.bits(),
            Self::Cancel => 1 << 3,
            Self::Observe => 1 << 4 | Self::Read.bits(),
            Self::Admin => u8::MAX,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is no permission; the permissions are {known}")
        })
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Permissions(u8);

impl Permissions {
    pub(crate) const EVERYTHING: Self = Self(Permission::Admin.bits());

    /// These, and what comes with them.
    pub(crate) fn of(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self(permissions.into_iter().fold(0, |bits, it| bits | it.bits()))
    }

    pub(crate) const fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    pub(crate) const fn contain(self, permission: Permission) -> bool {
        let bits = permission.bits();
        self.0 & bits == bits
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Permission::ALL.iter().filter(|it| self.contain(**it))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_brings_what_it_includes_and_no_more() {
        let with = |it| Permissions::of([it]);
        assert!(with(Permission::SubmitWithOptions).contain(Permission::Submit));
        assert!(!with(Permission::Submit).contain(Permission::SubmitWithOptions));
        assert!(with(Permission::Observe).contain(Permission::Read));
        assert!(!with(Permission::Read).contain(Permission::Observe));
        for permission in Permission::ALL {
            assert!(with(Permission::Admin).contain(permission));
            assert!(with(permission).contain(permission));
            assert!(!Permissions::default().contain(permission));
            assert_eq!(permission.as_str().parse(), Ok(permission));
            let others = Permissions::of(Permission::ALL.into_iter().filter(|it| *it != Permission::Admin));
            assert!(!others.contain(Permission::Admin), "all others together are not admin");
        }
    }
}
