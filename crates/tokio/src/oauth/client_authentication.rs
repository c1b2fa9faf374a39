//! How a client says who it is to an authorization server (RFC 6749 section 2.3).

use std::fmt;

use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use sip_oauth_token::AccessToken;
use zeroize::Zeroizing;

use super::form::{Form, encode};
use crate::http::{basic, credentials};

/// Who asks an authorization server, and how it proves that.
///
/// `Debug` shows the client id and never the secret.
#[derive(Clone)]
pub struct ClientAuthentication(Kind);

#[derive(Clone)]
enum Kind {
    Public { id: String },
    Basic { id: String, secret: Secret },
    Post { id: String, secret: Secret },
    Bearer(AccessToken),
}

type Secret = Zeroizing<String>;

impl ClientAuthentication {
    /// A client that cannot keep a secret, as a softphone: it sends its `client_id` only (RFC 6749 section 3.2.1).
    pub fn public(client_id: &str) -> Self {
        Self(Kind::Public {
            id: client_id.to_owned(),
        })
    }

    /// Client id and secret by HTTP Basic, which every server must take (RFC 6749 section 2.3.1).
    pub fn basic(client_id: &str, secret: &str) -> Self {
        Self(Kind::Basic {
            id: client_id.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
        })
    }

    /// Client id and secret as fields of the form, for servers that take them no other way (RFC 6749 section 2.3.1).
    pub fn form(client_id: &str, secret: &str) -> Self {
        Self(Kind::Post {
            id: client_id.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
        })
    }

    /// An access token of the asker's own, as RFC 7662 section 2.1 offers for introspection.
    pub fn bearer(token: AccessToken) -> Self {
        Self(Kind::Bearer(token))
    }

    /// The client id; none with [`ClientAuthentication::bearer`].
    pub fn client_id(&self) -> Option<&str> {
        match &self.0 {
            Kind::Public { id } | Kind::Basic { id, .. } | Kind::Post { id, .. } => Some(id),
            Kind::Bearer(_) => None,
        }
    }

    /// Adds what belongs into the form, and gives the header field, if it is one.
    pub(crate) fn apply(&self, form: &mut Form) -> Option<(HeaderName, HeaderValue)> {
        let value = match &self.0 {
            Kind::Public { id } => {
                form.field("client_id", id);
                return None;
            }
            Kind::Post { id, secret } => {
                form.field("client_id", id);
                form.field("client_secret", secret);
                return None;
            }
            Kind::Basic { id, secret } => {
                // "encoded using the "application/x-www-form-urlencoded" encoding algorithm", both of them.
                let encoded = |text: &str| {
                    let mut encoded = Zeroizing::new(String::with_capacity(3 * text.len()));
                    encode(text, &mut encoded);
                    encoded
                };
                basic(&encoded(id), &encoded(secret))
            }
            Kind::Bearer(token) => {
                credentials(Zeroizing::new(["Bearer ", token.expose()].concat()))
            }
        };
        // Base64 and token characters always can stand in a header field.
        Some((AUTHORIZATION, value?))
    }
}

impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Public { id } => write!(f, "Public({id:?})"),
            Kind::Basic { id, .. } => write!(f, "Basic({id:?})"),
            Kind::Post { id, .. } => write!(f, "Form({id:?})"),
            Kind::Bearer(token) => write!(f, "Bearer({token})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_section_2_3_1_basic_is_form_encoded_first() {
        let mut form = Form::default();
        let (_, value) = ClientAuthentication::basic("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw")
            .apply(&mut form)
            .unwrap();
        assert_eq!(value, "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
        assert_eq!(form.as_str(), "");
        let (_, value) = ClientAuthentication::basic("a:b", "c d")
            .apply(&mut form)
            .unwrap();
        assert_eq!(value, "Basic YSUzQWI6Yytk");
    }

    #[test]
    fn a_secret_is_never_printed() {
        for asker in [
            ClientAuthentication::basic("id", "hunter2"),
            ClientAuthentication::form("id", "hunter2"),
            ClientAuthentication::bearer(AccessToken::parse("hunter2").unwrap()),
        ] {
            let text = format!("{asker:?} {:?}", asker.apply(&mut Form::default()));
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
