//! How values stand in elements, for all operations alike.

use std::str::FromStr;

use crate::{
    element::Element,
    error::{Bound, ReadError, ReadErrorKind},
    limits::Limits,
    nullable::Nullable,
    text::FieldError,
    uuid::Uuid,
    writer::Writer,
};

/// A request's parameters: what stands inside its operation element.
pub(crate) trait Parameters: Sized {
    fn write(&self, writer: &mut Writer);
    fn read(element: Element<'_>) -> Result<Self, ReadError>;
}

impl<'d> Element<'d> {
    /// The text of an element that may hold nothing else.
    pub(crate) fn leaf(self) -> Result<&'d str, ReadError> {
        match self.children().next() {
            Some(child) => Err(child.unexpected("text")),
            None => Ok(self.text()),
        }
    }

    /// The text as a checked value. `xsi:nil` is refused: the field is not nillable.
    pub(crate) fn value<T: FromStr<Err = FieldError>>(self) -> Result<T, ReadError> {
        if self.is_nil() {
            return Err(self.error(ReadErrorKind::Value {
                expected: "a value, not xsi:nil",
            }));
        }
        self.leaf()?
            .parse()
            .map_err(|error| self.error(ReadErrorKind::Field(error)))
    }

    /// A number, blanks around it allowed as in all XML Schema numbers.
    pub(crate) fn number<T: FromStr>(self, expected: &'static str) -> Result<T, ReadError> {
        self.leaf()?
            .trim()
            .parse()
            .map_err(|_| self.error(ReadErrorKind::Value { expected }))
    }

    /// The child's value, when there is a child.
    pub(crate) fn optional_value<T: FromStr<Err = FieldError>>(
        self,
        name: &str,
    ) -> Result<Option<T>, ReadError> {
        self.child(name)?.map(Element::value).transpose()
    }

    /// The child's number, when there is a child. An empty element is no number but no value.
    pub(crate) fn optional_number<T: FromStr>(
        self,
        name: &str,
        expected: &'static str,
    ) -> Result<Option<T>, ReadError> {
        match self.child(name)? {
            Some(child) if child.is_nil() || child.leaf()?.trim().is_empty() => Ok(None),
            Some(child) => child.number(expected).map(Some),
            None => Ok(None),
        }
    }

    /// A nillable, optional child.
    pub(crate) fn nullable<T: FromStr<Err = FieldError>>(
        self,
        name: &str,
    ) -> Result<Nullable<T>, ReadError> {
        match self.child(name)? {
            None => Ok(Nullable::Missing),
            Some(child) if child.is_nil() => match child.leaf()? {
                "" => Ok(Nullable::Nil),
                _ => Err(child.error(ReadErrorKind::Value {
                    expected: "nothing in an element that is xsi:nil",
                })),
            },
            Some(child) => child.value().map(Nullable::Value),
        }
    }

    /// The `uuid` attribute. An empty one, as `returnedTags` has it, is none.
    pub(crate) fn uuid_attribute(self) -> Result<Option<Uuid>, ReadError> {
        match self.attribute("uuid").map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|error| self.error(ReadErrorKind::Field(error))),
        }
    }

    /// A GUID as the element's text.
    pub(crate) fn uuid(self) -> Result<Uuid, ReadError> {
        self.leaf()?
            .trim()
            .parse()
            .map_err(|error| self.error(ReadErrorKind::Field(error)))
    }

    /// The children of this name, each read, up to the limit of rows.
    pub(crate) fn rows<T>(
        self,
        name: &str,
        limits: &Limits,
        read: impl Fn(Element<'d>) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, ReadError> {
        let max = limits.max_rows;
        let mut rows = Vec::new();
        for child in self.children().filter(|child| child.name() == name) {
            if rows.len() >= max {
                return Err(child.error(ReadErrorKind::TooMuch {
                    what: Bound::Rows,
                    max,
                }));
            }
            rows.push(read(child)?);
        }
        Ok(rows)
    }
}
