//! What makes a value of a header field one of our types.

use std::marker::PhantomData;

use crate::field::HeaderField;
use crate::scan::forbidden_controls;
use crate::view::forbidden_control;
use crate::{ErrorKind, HeaderName, ParseError};

/// A header field whose value can be read as a type.
///
/// All types of [`header`](crate::header) are such; implement it for a field of your own.
///
/// ```
/// use sip_oauth_message::{ErrorKind, HeaderName, ParseError, TypedHeader};
///
/// struct FlowTimer(u32);
///
/// impl<'a> TypedHeader<'a> for FlowTimer {
///     const NAME: HeaderName<'static> = HeaderName::FlowTimer;
///
///     fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
///         let error = || ParseError::new(ErrorKind::HeaderValue, 0, "seconds");
///         let seconds = value.parse().map_err(|_| error().in_header(Self::NAME))?;
///         Ok((Self(seconds), ""))
///     }
/// }
///
/// assert_eq!(FlowTimer::parse("120")?.0, 120);
/// # Ok::<(), ParseError>(())
/// ```
pub trait TypedHeader<'a>: Sized {
    /// The name of the field.
    const NAME: HeaderName<'static>;

    /// Reads the first value of a field, and gives what follows its comma.
    ///
    /// A field that is not a list has one value, and nothing follows it. The value is that of a
    /// message that was read, where control characters stand in quoted pairs only.
    ///
    /// # Errors
    ///
    /// When the value breaks its grammar; offsets count from the start of `value`.
    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError>;

    /// Reads a value that is all of `value`.
    ///
    /// # Errors
    ///
    /// When the value breaks its grammar, when it has a control character outside a quoted pair,
    /// or when another value follows.
    fn parse(value: &'a str) -> Result<Self, ParseError> {
        if let Some(at) = forbidden_controls(value.as_bytes()).next() {
            return Err(forbidden_control(at).in_header(Self::NAME));
        }
        let (typed, rest) = Self::decode(value)?;
        if rest.is_empty() {
            return Ok(typed);
        }
        let offset = value.len().saturating_sub(rest.len());
        Err(ParseError::new(ErrorKind::HeaderValue, offset, "one value only").in_header(Self::NAME))
    }
}

/// The values in some fields of one name.
pub(crate) struct All<'a, I, H> {
    fields: I,
    rest: &'a str,
    /// Where `rest` ends, in bytes from the start of the message.
    end: usize,
    typed: PhantomData<H>,
}

impl<I, H> All<'_, I, H> {
    pub(crate) const fn new(fields: I) -> Self {
        Self {
            fields,
            rest: "",
            end: 0,
            typed: PhantomData,
        }
    }
}

impl<'a, I, H> Iterator for All<'a, I, H>
where
    I: Iterator<Item = HeaderField<'a>>,
    H: TypedHeader<'a>,
{
    type Item = Result<H, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            let field = self.fields.next()?;
            self.rest = field.value();
            self.end = field.offset() + field.value().len();
        }
        let offset = self.end.saturating_sub(self.rest.len());
        match H::decode(self.rest) {
            Ok((typed, rest)) => {
                // A decoder that takes nothing must not keep us here.
                let progress = rest.len() < self.rest.len();
                self.rest = if progress { rest } else { "" };
                Some(Ok(typed))
            }
            Err(error) => {
                self.rest = "";
                Some(Err(error.shifted(offset)))
            }
        }
    }
}
