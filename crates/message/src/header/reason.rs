//! Reason, and the alarm that Cisco devices put into it.

use std::borrow::Cow;
use std::fmt;

use crate::grammar::{digits, element, token};
use crate::params::params;
use crate::{HeaderName, Params, ParseError, Text, TypedHeader};

/// Why a request was sent (RFC 3326).
///
/// `reason-value = protocol *(SEMI reason-params)`
///
/// ```
/// use sip_oauth_message::{header::Reason, TypedHeader};
/// let text = "cisco-alarm:25 Name=CSFrado ActiveLoad=a InactiveLoad=b Last=initialized";
/// let value = format!(r#"SIP;cause=200;text="{text}""#);
/// let reason = Reason::parse(&value)?;
/// assert_eq!((reason.protocol(), reason.cause()), ("SIP", Some(200)));
/// let alarm = reason.cisco_alarm().unwrap();
/// assert_eq!((alarm.code, &*alarm.name, &*alarm.last), (25, "CSFrado", "initialized"));
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    protocol: &'a str,
    params: Params<'a>,
}

impl<'a> Reason<'a> {
    /// The protocol whose cause this is: `SIP`, `Q.850` or another.
    pub const fn protocol(&self) -> &'a str {
        self.protocol
    }

    /// The cause, a number of that protocol.
    pub fn cause(&self) -> Option<u32> {
        digits(self.params.token("cause")?)
    }

    /// The text.
    pub fn text(&self) -> Option<Text<'a>> {
        self.params.get("text")?.value
    }

    /// The alarm in the text, if there is one.
    pub fn cisco_alarm(&self) -> Option<CiscoAlarm<'a>> {
        CiscoAlarm::read(self.text()?)
    }

    /// The parameters.
    pub const fn params(&self) -> Params<'a> {
        self.params
    }
}

impl<'a> TypedHeader<'a> for Reason<'a> {
    const NAME: HeaderName<'static> = HeaderName::Reason;

    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        element(value, Self::NAME, |input| {
            let (rest, protocol) = token(input)?;
            let (rest, params) = params(rest)?;
            Ok((rest, Self { protocol, params }))
        })
    }
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.protocol, self.params)
    }
}

/// What a Cisco device says about its last restart, in the text of a Reason.
///
/// ```text
/// cisco-alarm:<code> Name=<device> ActiveLoad=<load> InactiveLoad=<load> Last=<text>
/// cisco-alarm:<code> Name=<device> Load=<load> Last=<text>
/// ```
///
/// `Display` writes this text; [`to_reason`](Self::to_reason) the whole header field value. No field has
/// a blank in it but `last`; one that has is written with an underscore there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CiscoAlarm<'a> {
    /// The number, such as 25 (initialized) or 111 (Application-Requested-Destroy).
    pub code: u16,
    /// The device name.
    pub name: Cow<'a, str>,
    /// The firmware or application.
    pub loads: AlarmLoads<'a>,
    /// The word that goes with the number.
    pub last: Cow<'a, str>,
}

/// How an alarm names the firmware.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AlarmLoads<'a> {
    /// `ActiveLoad=… InactiveLoad=…`
    Both {
        /// What runs.
        active: Cow<'a, str>,
        /// What could run.
        inactive: Cow<'a, str>,
    },
    /// `Load=…`, of older firmware.
    One(Cow<'a, str>),
}

impl<'a> CiscoAlarm<'a> {
    /// Reads what a text says; it is borrowed where no backslash had to go.
    fn read(text: Text<'a>) -> Option<Self> {
        match text.to_str() {
            Cow::Borrowed(text) => Self::parse(text),
            Cow::Owned(text) => CiscoAlarm::parse(&text).map(CiscoAlarm::into_owned),
        }
    }

    /// The same without a borrow.
    pub fn into_owned(self) -> CiscoAlarm<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        CiscoAlarm {
            code: self.code,
            name: own(self.name),
            loads: match self.loads {
                AlarmLoads::Both { active, inactive } => AlarmLoads::Both {
                    active: own(active),
                    inactive: own(inactive),
                },
                AlarmLoads::One(load) => AlarmLoads::One(own(load)),
            },
            last: own(self.last),
        }
    }

    /// Reads the text of a Reason.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (code, rest) = text.strip_prefix("cisco-alarm:")?.split_once(' ')?;
        let (rest, last) = rest.split_once(" Last=")?;
        let mut words = rest.split(' ').filter(|word| !word.is_empty());
        let name = words.next()?.strip_prefix("Name=")?;
        let first = words.next()?;
        let loads = match first.strip_prefix("ActiveLoad=") {
            Some(active) => AlarmLoads::Both {
                active: active.into(),
                inactive: words.next()?.strip_prefix("InactiveLoad=")?.into(),
            },
            None => AlarmLoads::One(first.strip_prefix("Load=")?.into()),
        };
        Some(Self {
            code: digits(code)?,
            name: name.into(),
            loads,
            last: last.into(),
        })
    }

    /// The value of a Reason header field with this alarm: `SIP;cause=200;text="…"`.
    pub fn to_reason(&self) -> String {
        let text = self.to_string();
        format!("SIP;cause=200;text={}", Text::Plain(&text))
    }
}

impl fmt::Display for CiscoAlarm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cisco-alarm:{} Name={} ", self.code, Word(&self.name))?;
        match &self.loads {
            AlarmLoads::Both { active, inactive } => {
                let (active, inactive) = (Word(active), Word(inactive));
                write!(f, "ActiveLoad={active} InactiveLoad={inactive}")?;
            }
            AlarmLoads::One(load) => write!(f, "Load={}", Word(load))?,
        }
        write!(f, " Last={}", self.last)
    }
}

/// One word of the alarm: a blank in it would begin the next.
struct Word<'a>(&'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.split([' ', '\r', '\n']).enumerate() {
            if index > 0 {
                f.write_str("_")?;
            }
            f.write_str(word)?;
        }
        Ok(())
    }
}
