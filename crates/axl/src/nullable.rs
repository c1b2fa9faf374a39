//! Elements that may be absent, null, or empty, which AXL tells apart.

/// The value of a nillable, optional element.
///
/// In an update the three differ: an absent element leaves the column alone, `xsi:nil="true"`
/// clears it, an empty element stores the empty string (`Value` of an empty text).
///
/// ```
/// use sip_oauth_axl::{Description, Nullable};
///
/// let description: Nullable<Description> = Nullable::Value("".parse()?);
/// assert_ne!(description, Nullable::Nil);
/// assert_eq!(description.value().map(Description::as_str), Some(""));
/// # Ok::<(), sip_oauth_axl::FieldError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Nullable<T> {
    /// No element.
    #[default]
    Missing,
    /// An element with `xsi:nil="true"`.
    Nil,
    /// An element with a value, perhaps an empty one.
    Value(T),
}

impl<T> Nullable<T> {
    /// The value, when there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Missing | Self::Nil => None,
            Self::Value(value) => Some(value),
        }
    }

    /// Applies an update: a missing element keeps `current`.
    pub fn apply_to(self, current: &mut Self) {
        match self {
            Self::Missing => {}
            change => *current = change,
        }
    }
}

impl<T> From<T> for Nullable<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}
