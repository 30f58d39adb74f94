use crate::application::Settings;

/// What a method of the builder says. It is said again to the settings of a reload.
pub(super) type Edit = Box<dyn Fn(&mut Settings) + Send + Sync>;
