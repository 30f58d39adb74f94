use std::borrow::Cow;

use serde::Serialize;

use super::cut::{cut, escaped};

/// One thing that is wrong with a request: where, and what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fault {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong there.
    pub detail: Cow<'static, str>,
}

/// Where a fault is. In JSON it is a member of the fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// In the body, as a JSON pointer (RFC 6901); empty for the whole.
    Pointer(Cow<'static, str>),
    /// A parameter of the query.
    Parameter(Cow<'static, str>),
    /// A header.
    Header(Cow<'static, str>),
}

impl Fault {
    /// The longest pointer or name that is told whole.
    const PLACE_SIZE: usize = 240;
    /// The longest detail that is told whole.
    const DETAIL_SIZE: usize = 400;

    /// In the body, at a JSON pointer such as `/params/input`.
    #[must_use]
    pub fn at(pointer: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Place::Pointer(short(pointer.into(), Self::PLACE_SIZE)), detail.into())
    }

    /// In a parameter of the query.
    #[must_use]
    pub fn in_query(name: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Place::Parameter(short(name.into(), Self::PLACE_SIZE)), detail.into())
    }

    /// In a header.
    #[must_use]
    pub fn in_header(name: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Place::Header(Cow::Borrowed(name)), detail.into())
    }

    fn new(place: Place, detail: Cow<'static, str>) -> Self {
        Self { place, detail: short(detail, Self::DETAIL_SIZE) }
    }

    /// How many bytes of JSON it takes, at most.
    pub(super) fn size(&self) -> usize {
        const AROUND: usize = r#"{"parameter":"","detail":""},"#.len();
        let (Place::Pointer(place) | Place::Parameter(place) | Place::Header(place)) = &self.place;
        AROUND + escaped(place) + escaped(&self.detail)
    }
}

fn short(text: Cow<'static, str>, size: usize) -> Cow<'static, str> {
    match cut(&text, size) {
        Cow::Borrowed(_) => text,
        Cow::Owned(cut) => Cow::Owned(cut),
    }
}
