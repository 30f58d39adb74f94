use std::{fmt, sync::Arc};

use super::permission::{Permission, Permissions};

/// Who makes a request, and what they may do. A clone is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller {
    owner: Option<Arc<str>>,
    permissions: Permissions,
}

impl Caller {
    /// A caller of this name: it owns the tasks that it submits.
    #[must_use]
    pub fn new(owner: impl Into<Arc<str>>, permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self { owner: Some(owner.into()), permissions: Permissions::of(permissions) }
    }

    /// Nobody in particular, with these permissions.
    pub(crate) const fn anonymous(permissions: Permissions) -> Self {
        Self { owner: None, permissions }
    }

    pub(crate) const fn named(owner: Arc<str>, permissions: Permissions) -> Self {
        Self { owner: Some(owner), permissions }
    }

    /// The name under which its tasks are recorded; `None` for an anonymous one.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The same, shared.
    pub(crate) fn shared_owner(&self) -> Option<Arc<str>> {
        self.owner.clone()
    }

    /// Whether it may do this.
    #[must_use]
    pub const fn may(&self, permission: Permission) -> bool {
        self.permissions.contain(permission)
    }

    /// Whether it may see a task of this owner.
    #[must_use]
    pub fn may_see(&self, owner: Option<&str>) -> bool {
        self.may(Permission::Observe) || (owner.is_some() && owner == self.owner())
    }

    /// Whether it may change a task of this owner, as far as ownership goes.
    pub(crate) fn may_change(&self, owner: Option<&str>) -> bool {
        self.may(Permission::Admin) || (owner.is_some() && owner == self.owner())
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = self.owner().unwrap_or("anonymous");
        f.debug_struct("Caller").field("owner", &owner).field("permissions", &self.permissions).finish()
    }
}
