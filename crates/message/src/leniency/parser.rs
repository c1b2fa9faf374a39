//! A parser with leniencies.

use std::ops::Range;

use super::{Leniencies, Leniency, lines, values};
use crate::{ErrorKind, HeaderField, Limits, MessageView, ParseError, header};

/// Reads messages strictly, or with the leniencies that are allowed by name.
///
/// A message is read strictly first, so that leniencies cost a good message nothing; those about
/// values of header fields cost the reading of each value whose type is known. Only what the strict
/// reading refuses is repaired, in a copy, and read again strictly: no repair lets anything
/// through that is not well formed afterwards. A value that would exceed a limit once it is
/// repaired stays as it is, so that a leniency never refuses what is read without it.
///
/// ```
/// use sip_oauth_message::{header::Contact, Leniency, Limits, Parser};
/// let parser = Parser::new(Limits::default())
///     .allow(Leniency::BareLineFeed)
///     .allow(Leniency::EmptyParameter);
/// let bytes = b"OPTIONS sip:ucm.example.com SIP/2.0\nContact: <sip:1010@192.0.2.7>;\n\n";
/// let mut copy = Vec::new();
/// let reading = parser.parse(bytes, &mut copy)?;
/// assert_eq!(reading.view.required::<Contact>()?.uri().unwrap().user(), Some("1010"));
/// assert_eq!(reading.relaxed.iter().count(), 2);
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parser {
    limits: Limits,
    leniencies: Leniencies,
}

/// A message that was read, and which rules it broke.
#[derive(Clone, Debug)]
pub struct Reading<'b> {
    /// The message. Where something was relaxed it is the repaired one, and offsets count in it.
    pub view: MessageView<'b>,
    /// The leniencies that were needed; none where the message is well formed.
    pub relaxed: Leniencies,
}

impl Parser {
    /// A strict parser.
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            leniencies: Leniencies::NONE,
        }
    }

    /// The same with one leniency more.
    #[must_use]
    pub const fn allow(mut self, leniency: Leniency) -> Self {
        self.leniencies = self.leniencies.with(leniency);
        self
    }

    /// The same with these leniencies and no others.
    #[must_use]
    pub const fn with_leniencies(mut self, leniencies: Leniencies) -> Self {
        self.leniencies = leniencies;
        self
    }

    /// What is allowed.
    pub const fn leniencies(&self) -> Leniencies {
        self.leniencies
    }

    /// The bounds.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Reads one datagram or one frame. `copy` is where a message is repaired; it is left alone
    /// where nothing must be.
    ///
    /// # Errors
    ///
    /// Those of [`MessageView::parse`], for the message as it came, where no allowed leniency
    /// makes it well formed.
    pub fn parse<'b>(
        &self,
        bytes: &'b [u8],
        copy: &'b mut Vec<u8>,
    ) -> Result<Reading<'b>, ParseError> {
        let (repaired, relaxed) = match MessageView::parse(bytes, &self.limits) {
            Ok(view) => {
                let Some(repaired) = self.repair_values(&view, bytes) else {
                    let relaxed = Leniencies::NONE;
                    return Ok(Reading { view, relaxed });
                };
                repaired
            }
            Err(error) if self.leniencies.is_empty() || error.kind() == ErrorKind::Limit => {
                return Err(error);
            }
            Err(error) => {
                let (lines, relaxed) = lines::repair(bytes, self.leniencies).ok_or(error)?;
                let view = MessageView::parse(&lines, &self.limits).map_err(|_| error)?;
                match self.repair_values(&view, &lines) {
                    Some((repaired, needed)) => (repaired, relaxed.or(needed)),
                    None => (lines, relaxed),
                }
            }
        };
        *copy = repaired;
        let view = MessageView::parse(copy, &self.limits)?;
        Ok(Reading { view, relaxed })
    }

    /// The message with as many values repaired as have room within the limits; `None` where that
    /// is none, and the message stays as it is.
    fn repair_values(&self, view: &MessageView<'_>, bytes: &[u8]) -> Option<(Vec<u8>, Leniencies)> {
        let mut edits = self.edits(view, bytes);
        for may_grow in [true, false] {
            edits.retain(|edit| may_grow || edit.value.len() <= edit.range.len());
            if edits.is_empty() {
                return None;
            }
            let repaired = apply(bytes, &edits);
            if MessageView::parse(&repaired, &self.limits).is_ok() {
                let needed = edits.iter().map(|edit| edit.needed);
                return Some((repaired, needed.fold(Leniencies::NONE, Leniencies::or)));
            }
        }
        None
    }

    /// The values that must be replaced and can be, in order.
    fn edits(&self, view: &MessageView<'_>, bytes: &[u8]) -> Vec<Edit> {
        if !self.leniencies.iter().any(Leniency::is_about_values) {
            return Vec::new();
        }
        view.fields()
            .filter(|field| header::check_value(field.name(), field.value()).is_err())
            .filter_map(|field| self.edit(&field))
            .filter(|edit| self.has_room(edit, bytes))
            .collect()
    }

    fn edit(&self, field: &HeaderField<'_>) -> Option<Edit> {
        let (value, needed) = values::repair(field.name(), field.value(), self.leniencies)?;
        let start = field.offset();
        Some(Edit {
            range: start..start + field.value().len(),
            value,
            needed,
        })
    }

    /// Whether the lines of the new value are within the limit.
    fn has_room(&self, edit: &Edit, bytes: &[u8]) -> bool {
        let before = bytes.get(..edit.range.start).unwrap_or_default();
        let name = before.iter().rev().take_while(|byte| **byte != b'\n');
        let mut indent = name.count();
        edit.value.split("\r\n").all(|line| {
            let length = indent + line.len();
            indent = 0;
            length <= self.limits.max_line_bytes
        })
    }
}

/// A range of the message and what stands there instead.
struct Edit {
    range: Range<usize>,
    value: String,
    needed: Leniencies,
}

fn apply(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 8 * edits.len());
    let mut at = 0;
    for Edit { range, value, .. } in edits {
        out.extend_from_slice(bytes.get(at..range.start).unwrap_or_default());
        out.extend_from_slice(value.as_bytes());
        at = range.end;
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    out
}
