//! Where the header fields of a head are.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::ops::Range;

use crate::HeaderName;
use crate::grammar::{TOKEN, cut, span};
use crate::name::CODES;
use crate::text::unfold;
use crate::uri::{Redacted, has_sip_uri};

/// One header field of a message: name, value and place.
#[derive(Clone, Copy)]
pub struct HeaderField<'a> {
    name: HeaderName<'a>,
    name_text: &'a str,
    value: &'a str,
    offset: usize,
}

impl<'a> HeaderField<'a> {
    pub(crate) const fn new(
        name: HeaderName<'a>,
        name_text: &'a str,
        value: &'a str,
        offset: usize,
    ) -> Self {
        Self {
            name,
            name_text,
            value,
            offset,
        }
    }

    /// Which field this is.
    pub const fn name(&self) -> HeaderName<'a> {
        self.name
    }

    /// The name as it is written.
    pub const fn name_text(&self) -> &'a str {
        self.name_text
    }

    /// The value without white space around it. A folded value has its line ends in it;
    /// [`unfolded`](Self::unfolded) is the value on one line.
    pub const fn value(&self) -> &'a str {
        self.value
    }

    /// The value with each fold replaced by one space (RFC 3261 section 7.3.1).
    pub fn unfolded(&self) -> Cow<'a, str> {
        unfold(self.value)
    }

    /// Where the value begins, in bytes from the start of the message.
    pub const fn offset(&self) -> usize {
        self.offset
    }
}

/// The value of a credentials field is not printed, nor that of a field whose name is not known, which may be a misspelt
/// one, nor are passwords in a SIP URI. Control characters are escaped, so that a stranger writes no lines and no
/// colours into a log.
impl fmt::Debug for HeaderField<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_secret() || self.name.known().is_none() {
            write!(f, "{}: <{} bytes>", self.name_text, self.value.len())
        } else {
            write!(f, "{}: ", self.name_text)?;
            let mut value = self.unfolded();
            if has_sip_uri(&value) {
                value = Cow::Owned(Redacted(&value).to_string());
            }
            for c in value.chars() {
                if c.is_control() {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    f.write_char(c)?;
                }
            }
            Ok(())
        }
    }
}

/// Positions of one field; 32 bits are enough for any message within the limits. Small, since a view
/// has room for many and is moved about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    start: u32,
    /// How far behind the start the value begins, and in the lowest byte the code of the name.
    value: u32,
    value_end: u32,
}

impl Slot {
    /// How far behind the start of the field its value may begin.
    pub(crate) const MAX_NAME: usize = (1 << 24) - 1;

    const EMPTY: Self = Self {
        start: 0,
        value: 0,
        value_end: 0,
    };

    /// The parser refuses messages of 4 GiB and names above [`MAX_NAME`](Self::MAX_NAME), so that
    /// all this fits.
    #[allow(clippy::cast_possible_truncation, reason = "as said above")]
    pub(crate) const fn new(code: u8, start: usize, value_start: usize, value_end: usize) -> Self {
        Self {
            start: start as u32,
            value: ((value_start - start) as u32) << 8 | code as u32,
            value_end: value_end as u32,
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "the lowest byte is meant")]
    pub(crate) const fn code(&self) -> u8 {
        self.value as u8
    }

    pub(crate) const fn start(&self) -> usize {
        self.start as usize
    }

    const fn value_start(&self) -> usize {
        self.start as usize + (self.value >> 8) as usize
    }

    /// The name as it is written.
    pub(crate) fn name<'a>(&self, head: &'a str) -> &'a str {
        let front = head.get(self.start()..self.value_start());
        let front = front.unwrap_or_default();
        cut(front, span(front.as_bytes(), TOKEN)).0
    }

    pub(crate) const fn value(&self) -> Range<usize> {
        self.value_start()..self.value_end as usize
    }

    pub(crate) fn field<'a>(&self, head: &'a str) -> HeaderField<'a> {
        let name_text = self.name(head);
        let name = HeaderName::from_code(self.code(), name_text);
        let value = head.get(self.value()).unwrap_or_default();
        HeaderField::new(name, name_text, value, self.value_start())
    }
}

const INLINE: usize = 64;

/// The fields of a message in order: 64 in place, more in a vector.
#[derive(Clone)]
pub(crate) struct Slots {
    inline: [Slot; INLINE],
    /// How many of those in place are used.
    length: usize,
    /// Where to begin to look for a name, by its code: the first field that has it, or the first
    /// one that is not in place.
    first: [u8; CODES],
    spilled: Vec<Slot>,
}

/// No field has this name.
const NOWHERE: u8 = u8::MAX;

impl Slots {
    pub(crate) const fn new() -> Self {
        Self {
            inline: [Slot::EMPTY; INLINE],
            length: 0,
            first: [NOWHERE; CODES],
            spilled: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, slot: Slot) {
        #[allow(clippy::cast_possible_truncation, reason = "64 at the most")]
        let place = self.length as u8;
        if let Some(first) = self.first.get_mut(usize::from(slot.code()))
            && *first == NOWHERE
        {
            *first = place;
        }
        match self.inline.get_mut(self.length) {
            Some(place) => {
                *place = slot;
                self.length += 1;
            }
            None => self.spilled.push(slot),
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.length + self.spilled.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Slot> + Clone + '_ {
        let inline = self.inline.get(..self.length).unwrap_or_default();
        inline.iter().chain(&self.spilled)
    }

    /// The fields whose name has this code, in order.
    #[inline]
    pub(crate) fn of(&self, code: u8) -> OfCode<'_> {
        let next = match self.first.get(usize::from(code)) {
            Some(&NOWHERE) | None => usize::MAX,
            Some(&first) => usize::from(first),
        };
        OfCode {
            slots: self,
            next,
            code,
        }
    }

    /// The first field whose name has this code.
    #[inline]
    pub(crate) fn first_of(&self, code: u8) -> Option<&Slot> {
        let first = usize::from(*self.first.get(usize::from(code))?);
        if first < INLINE {
            self.inline.get(first)
        } else {
            self.of(code).next()
        }
    }

    #[inline]
    fn get(&self, place: usize) -> Option<&Slot> {
        if place < self.length {
            self.inline.get(place)
        } else {
            self.spilled.get(place - self.length)
        }
    }
}

/// See [`Slots::of`].
#[derive(Clone)]
pub(crate) struct OfCode<'s> {
    slots: &'s Slots,
    next: usize,
    code: u8,
}

impl<'s> Iterator for OfCode<'s> {
    type Item = &'s Slot;

    #[inline]
    fn next(&mut self) -> Option<&'s Slot> {
        loop {
            let slot = self.slots.get(self.next)?;
            self.next += 1;
            if slot.code() == self.code {
                return Some(slot);
            }
        }
    }
}
