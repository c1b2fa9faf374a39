//! Why a text is refused, in our words: a file may hold passwords, and what an author forgot to escape in one of them looks
//! like markup. So nothing is quoted that is no name, and nothing at all from inside an element for a secret.

use quick_xml::errors::{Error as XmlError, IllFormedError, SyntaxError};
use quick_xml::escape::EscapeError;
use quick_xml::events::attributes::AttrError;

use crate::error::{ReadErrorKind, shorten};
use crate::xml::is_name;

/// A reason and the offset it was found at, before the path is added.
pub(crate) type Refusal = (usize, ReadErrorKind);

pub(crate) fn not_well_formed(offset: usize, what: impl Into<String>) -> Refusal {
    (offset, ReadErrorKind::NotWellFormed { what: what.into() })
}

/// An attribute that cannot be read, in a tag whose name begins at `tag`.
pub(crate) fn bad_attribute(tag: usize, error: &AttrError) -> Refusal {
    let (at, what) = match *error {
        AttrError::ExpectedEq(at) => (at, "an attribute without '='"),
        AttrError::ExpectedValue(at) => (at, "an attribute without a value"),
        AttrError::UnquotedValue(at) => (at, "an attribute value without quotes"),
        AttrError::ExpectedQuote(at, _) => (at, "an attribute value whose quote is not closed"),
        AttrError::Duplicated(at, _) => (at, "an attribute that stands twice"),
    };
    not_well_formed(tag + at, what)
}

/// The longest name of an entity that a message quotes; the longest of HTML has 31 characters.
const LONGEST_ENTITY_NAME: usize = 31;

/// What stands between `&` and `;`, which may be part of a password whose author forgot to escape it: quoted only as far
/// as it can be the name of an entity.
pub(crate) fn unknown_entity(name: &str) -> ReadErrorKind {
    if is_name(name) && name.len() <= LONGEST_ENTITY_NAME {
        ReadErrorKind::Entity {
            name: name.to_owned(),
        }
    } else {
        let what = format!(
            "the {} bytes between '&' and ';' are no name of an entity; '&' in text is written &amp;",
            name.len()
        );
        ReadErrorKind::NotWellFormed { what }
    }
}

/// quick-xml's error in our words.
pub(crate) fn refused(start: usize, error: &XmlError) -> Refusal {
    match error {
        XmlError::Escape(EscapeError::UnrecognizedEntity(range, name)) => {
            (start + range.start.saturating_sub(1), unknown_entity(name))
        }
        XmlError::Escape(error) => not_well_formed(start, error.to_string()),
        XmlError::IllFormed(IllFormedError::MissingDoctypeName)
        | XmlError::Syntax(SyntaxError::UnclosedDoctype) => (start, ReadErrorKind::Doctype),
        XmlError::IllFormed(error) => not_well_formed(start, ill_formed(error)),
        XmlError::Syntax(SyntaxError::InvalidBangMarkup) => {
            not_well_formed(start, "\"<!\" that begins neither a comment nor CDATA")
        }
        XmlError::Syntax(error) => not_well_formed(start, error.to_string()),
        other => not_well_formed(start, other.to_string()),
    }
}

/// What quick-xml calls ill-formed. Its own sentences quote whatever stands there, at full length.
fn ill_formed(error: &IllFormedError) -> String {
    match error {
        IllFormedError::MismatchedEndTag { expected, found } if is_name(found) => {
            format!(
                "expected </{}>, found </{}>",
                shorten(expected),
                shorten(found)
            )
        }
        IllFormedError::MismatchedEndTag { expected, found } => format!(
            "expected </{}>, found an end tag with {} bytes that are no name",
            shorten(expected),
            found.len()
        ),
        IllFormedError::UnmatchedEndTag(_) => "an end tag that ends no element".to_owned(),
        IllFormedError::MissingEndTag(name) => format!("<{}> is not closed", shorten(name)),
        IllFormedError::MissingDeclVersion(_) => {
            "an XML declaration that does not begin with its version".to_owned()
        }
        other => other.to_string(),
    }
}

/// Whether what stands in an element of this name is for nobody's eyes.
pub(crate) fn holds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "passphrase", "secret"]
        .iter()
        .any(|word| name.contains(word))
}

/// A reason that may be found in any file, in the place of one that quotes what stands in a password.
pub(crate) fn silent(kind: ReadErrorKind) -> ReadErrorKind {
    match kind {
        ReadErrorKind::NotWellFormed { .. } | ReadErrorKind::Entity { .. } => {
            ReadErrorKind::NotWellFormed {
                what: "what stands in an element for a secret is no text, in which '<' is written &lt; and '&' is \
                       written &amp;"
                    .to_owned(),
            }
        }
        kind => kind,
    }
}
