//! The lines of a device.

use std::borrow::Cow;

use crate::document::Element;
use crate::error::ValueError;
use crate::value::{self, Value};

/// `sipProfile/sipLines/line`: a line, or a button with another feature.
///
/// `authPassword` has no getter; [`Element`] reaches it when it must be had.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    line: Element<'a>,
}

impl<'a> Line<'a> {
    /// The `featureID` of a line that registers.
    pub const FEATURE_LINE: u32 = 9;

    /// What `@button` is when it is missing.
    pub(crate) const DEFAULT_BUTTON: u32 = 1;

    /// What `port` is when it is missing.
    pub(crate) const DEFAULT_PORT: u16 = 5060;

    pub(crate) fn new(line: Element<'a>) -> Self {
        Self { line }
    }

    /// The `line` element.
    pub fn element(self) -> Element<'a> {
        self.line
    }

    /// The number in an attribute, from 1. What cannot be read is nobody's number, and no error is made of it: thousands of
    /// lines may be looked through.
    pub(crate) fn readable_number(self, attribute: &str, default: u32) -> Option<u32> {
        value::readable_number_attribute(self.line, attribute, default).filter(|number| *number > 0)
    }

    /// Whether `featureID` says that it registers; what cannot be read may.
    pub(crate) fn is_registering(self) -> bool {
        let feature = self.line.child("featureID").map(Element::text);
        let feature = feature.as_deref().map_or("", str::trim);
        feature.is_empty() || value::parse_number(feature).is_none_or(|id| id == Self::FEATURE_LINE)
    }

    /// `@button`, from 1. None when missing or empty.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is no number.
    pub fn button(self) -> Result<Option<Value<u32>>, ValueError> {
        value::number_attribute(self.line, "button")
    }

    /// `@lineIndex`, from 1, which only a line has. None when missing or empty.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is no number.
    pub fn line_index(self) -> Result<Option<Value<u32>>, ValueError> {
        value::number_attribute(self.line, "lineIndex")
    }

    /// `featureID`: 9 is a line, 2 a speed dial, … A missing one counts as a line.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is no number.
    pub fn feature_id(self) -> Result<Value<u32>, ValueError> {
        value::number(self.line.child("featureID"), Self::FEATURE_LINE)
    }

    /// Whether it registers: `featureID` 9 and a `name` that is not empty.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when `featureID` is no number.
    pub fn is_usable(self) -> Result<bool, ValueError> {
        Ok(self.feature_id()?.value == Self::FEATURE_LINE
            && self.name().is_some_and(|name| !name.value.is_empty()))
    }

    /// `name`: the directory number, the user part of the address-of-record.
    pub fn name(self) -> Option<Value<Cow<'a, str>>> {
        value::word(self.line.child("name"))
    }

    /// `displayName`.
    pub fn display_name(self) -> Option<Value<Cow<'a, str>>> {
        value::text(self.line.child("displayName"))
    }

    /// `featureLabel`.
    pub fn feature_label(self) -> Option<Value<Cow<'a, str>>> {
        value::text(self.line.child("featureLabel"))
    }

    /// `contact`: the user part of the Contact.
    pub fn contact(self) -> Option<Value<Cow<'a, str>>> {
        value::word(self.line.child("contact"))
    }

    /// `proxy`: a host, or the keyword `USECALLMANAGER` for the nodes of the group.
    pub fn proxy(self) -> Option<Value<Cow<'a, str>>> {
        value::word(self.line.child("proxy"))
    }

    /// Whether `proxy` says `USECALLMANAGER`, as every file of a Unified CM does.
    pub fn uses_call_manager(self) -> bool {
        self.proxy()
            .is_some_and(|proxy| proxy.value.eq_ignore_ascii_case("USECALLMANAGER"))
    }

    /// `port`, which a device with `USECALLMANAGER` does not use. Default 5060.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when something else than a port from 1 to 65535 is written.
    pub fn port(self) -> Result<Value<u16>, ValueError> {
        value::port(self.line.child("port"), Self::DEFAULT_PORT)
    }

    /// `authName`: the user of digest authentication.
    pub fn auth_name(self) -> Option<Value<Cow<'a, str>>> {
        value::word(self.line.child("authName"))
    }

    /// Whether `authPassword` holds something; the password itself is not shown.
    pub fn has_auth_password(self) -> bool {
        self.line
            .child("authPassword")
            .is_some_and(|element| !element.text().trim().is_empty())
    }
}
