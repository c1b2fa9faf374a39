//! Warning.

use std::fmt;

use crate::grammar::{
    Parsed, VALUE, element, expected, is_token, number, quoted_string, skip_lws, take,
};
use crate::uri::is_host_port;
use crate::{HeaderName, ParseError, Text, TypedHeader};

/// Why something went wrong, for people (RFC 3261 section 20.43).
///
/// `warning-value = warn-code SP warn-agent SP warn-text`
///
/// ```
/// use sip_oauth_message::{header::Warning, TypedHeader};
/// let value = r#"399 UCM2-PUB "SIP OAuth Registration port Mismatch""#;
/// let warning = Warning::parse(value)?;
/// assert_eq!((warning.code(), warning.agent()), (399, "UCM2-PUB"));
/// assert_eq!(warning.text(), "SIP OAuth Registration port Mismatch");
/// assert_eq!(warning.to_string(), value);
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning<'a> {
    code: u16,
    agent: &'a str,
    text: Text<'a>,
}

impl<'a> Warning<'a> {
    /// A warning with code 399, "Miscellaneous warning". What may not stand in an agent's name
    /// ends it.
    pub fn miscellaneous(agent: &'a str, text: &'a str) -> Self {
        let agent = match warn_agent(agent) {
            Ok((_, agent)) => agent,
            Err(_) => "-",
        };
        Self {
            code: 399,
            agent,
            text: Text::Plain(text),
        }
    }

    /// Three digits; 399 is "Miscellaneous warning".
    pub const fn code(&self) -> u16 {
        self.code
    }

    /// Host or pseudonym of who warns. Unified CM puts the name of the node here.
    pub const fn agent(&self) -> &'a str {
        self.agent
    }

    /// What it says.
    pub const fn text(&self) -> Text<'a> {
        self.text
    }
}

impl<'a> TypedHeader<'a> for Warning<'a> {
    const NAME: HeaderName<'static> = HeaderName::Warning;

    fn decode(value: &'a str) -> Result<(Self, &'a str), ParseError> {
        element(value, Self::NAME, warning)
    }
}

/// `warn-agent = hostport / pseudonym`, where a pseudonym is a token
fn warn_agent(input: &str) -> Parsed<'_, &str> {
    let (rest, agent) = take(input, VALUE, "a host or a name")?;
    if !is_token(agent) && !is_host_port(agent) {
        return expected(input, "a host or a name");
    }
    Ok((rest, agent))
}

fn warning(input: &str) -> Parsed<'_, Warning<'_>> {
    let (rest, code) = number(input, 999, "a warning code of three digits")?;
    if input.len() - rest.len() != 3 {
        return expected(input, "a warning code of three digits");
    }
    let Some(rest) = rest.strip_prefix(' ') else {
        return expected(rest, "a space after the code");
    };
    let (rest, agent) = warn_agent(skip_lws(rest))?;
    let text = skip_lws(rest);
    if text.len() == rest.len() {
        return expected(rest, "a space after the agent");
    }
    let (rest, text) = quoted_string(text)?;
    let code = u16::try_from(code).expect("at most 999");
    Ok((rest, Warning { code, agent, text }))
}

impl fmt::Display for Warning<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03} {} {}", self.code, self.agent, self.text)
    }
}
