//! The Bearer credentials of a request, as far as they are judged.

use sip_oauth_message::header::{Authorization, ProxyAuthorization};
use sip_oauth_message::{BearerCredentials, Credentials, MessageView, ParseError};
use sip_oauth_token::TokenError;

/// How many tokens of one request are judged. A request may carry several, one for each realm on its
/// way; each costs the check of a signature, and there is room for a hundred in a message.
const MAX_JUDGED: usize = 4;

/// The header fields that carry credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// The answer to a 401.
    Authorization,
    /// The answer to a 407.
    ProxyAuthorization,
}

/// Whether a token that failed may yet be found good, the least likely first. A request may carry several,
/// one for each realm on its way: the failure that counts is the one with the most hope, whatever stands
/// before it, for only that token can be the one meant for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hope {
    /// It was judged.
    None,
    /// Its key is not there, and may be when the set was asked for again.
    UnknownKey,
    /// There is no verdict yet.
    Open,
}

impl Hope {
    pub(crate) fn of(error: &TokenError) -> Self {
        if error.is_open() {
            Self::Open
        } else if error.unknown_verifying_key().is_some() {
            Self::UnknownKey
        } else {
            Self::None
        }
    }
}

/// The Bearer credentials in the header fields named, in that order. Those of other schemes are left
/// out, those that cannot be read are not.
pub(crate) fn bearers<'a>(
    request: &MessageView<'a>,
    fields: &[Field],
) -> impl Iterator<Item = Result<BearerCredentials<'a>, ParseError>> {
    let mut found = Vec::new();
    for field in fields {
        let room = MAX_JUDGED - found.len();
        match field {
            Field::Authorization => found.extend(
                request
                    .all::<Authorization<'a>>()
                    .filter_map(|field| bearer(field.map(|field| field.credentials())))
                    .take(room),
            ),
            Field::ProxyAuthorization => found.extend(
                request
                    .all::<ProxyAuthorization<'a>>()
                    .filter_map(|field| bearer(field.map(|field| field.credentials())))
                    .take(room),
            ),
        }
    }
    found.into_iter()
}

fn bearer(
    credentials: Result<Credentials<'_>, ParseError>,
) -> Option<Result<BearerCredentials<'_>, ParseError>> {
    match credentials {
        Ok(Credentials::Bearer(bearer)) => Some(Ok(bearer)),
        Ok(Credentials::Digest(_) | Credentials::Other(_)) => None,
        Err(error) => Some(Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use sip_oauth_message::Limits;

    use super::*;

    #[test]
    fn of_many_tokens_a_few_are_judged() {
        let lines: Vec<String> = (0..50)
            .map(|number| {
                format!(
                    "Proxy-Authorization: Digest username=\"a\"\r\n\
                     Proxy-Authorization: Bearer proxy{number}\r\n\
                     Authorization: Bearer own{number}\r\n"
                )
            })
            .collect();
        let text = format!("REGISTER sip:example.com SIP/2.0\r\n{}\r\n", lines.concat());
        let view = MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
        let judged = |fields: &[Field]| -> Vec<String> {
            bearers(&view, fields)
                .map(|bearer| bearer.unwrap().expose().to_owned())
                .collect()
        };
        let both = [Field::Authorization, Field::ProxyAuthorization];
        assert_eq!(judged(&both), ["own0", "own1", "own2", "own3"]);
        assert_eq!(
            judged(&[Field::ProxyAuthorization]),
            ["proxy0", "proxy1", "proxy2", "proxy3"]
        );
    }
}
