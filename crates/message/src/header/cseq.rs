//! CSeq.

use std::fmt;

use crate::grammar::{Parsed, expected, number, single, skip_lws, token};
use crate::{ErrorKind, HeaderName, Method, ParseError, TypedHeader};

/// The number of a request and its method (RFC 3261 section 20.16).
///
/// `CSeq = "CSeq" HCOLON 1*DIGIT LWS Method`; the number is below 2^31 (section 8.1.1.5).
///
/// ```
/// use sip_oauth_message::{header::CSeq, Method, TypedHeader};
/// let cseq = CSeq::parse("2270 REGISTER")?;
/// assert_eq!((cseq.number(), cseq.method()), (2270, &Method::Register));
/// assert_eq!(CSeq::new(2271, Method::Register)?.to_string(), "2271 REGISTER");
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CSeq<'a> {
    number: u32,
    method: Method<'a>,
}

impl<'a> CSeq<'a> {
    /// The largest number.
    pub const MAX: u32 = (1 << 31) - 1;

    /// A number and a method.
    ///
    /// # Errors
    ///
    /// When the number is above [`MAX`](Self::MAX).
    pub fn new(number: u32, method: Method<'a>) -> Result<Self, ParseError> {
        if number > Self::MAX {
            let error = ParseError::new(ErrorKind::Range, 0, "a number below 2^31");
            return Err(error.in_header(Self::NAME));
        }
        Ok(Self { number, method })
    }

    /// The number.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The method.
    pub const fn method(&self) -> &Method<'a> {
        &self.method
    }
}

impl<'a> TypedHeader<'a> for CSeq<'a> {
    const NAME: HeaderName<'static> = HeaderName::CSeq;

    #[inline]
    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        single(value, Self::NAME, cseq)
    }
}

fn cseq(input: &str) -> Parsed<'_, CSeq<'_>> {
    let (rest, number) = number(input, CSeq::MAX, "a sequence number")?;
    let method = skip_lws(rest);
    if method.len() == rest.len() {
        return expected(rest, "a space after the number");
    }
    let (rest, method) = token(method)?;
    let method = Method::from_token(method);
    Ok((rest, CSeq { number, method }))
}

impl fmt::Display for CSeq<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}
