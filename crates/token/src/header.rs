//! JOSE headers: what is read, what is refused (RFC 7515 section 4.1, RFC 7516 section 4.1).

use crate::error::{Place, TokenError, TokenErrorKind};
use crate::json::{self, Json, Members};
use crate::keys::KeyId;

/// A JOSE header that carries nothing a token must not bring.
pub(crate) struct Header<'a> {
    parameters: Members<'a>,
    place: Place,
}

/// Parameters that let a token choose its own key or its own rules, with the reason they are refused.
const FORBIDDEN: [(&str, &str); 7] = [
    ("jku", "a token does not choose where its key comes from"),
    ("jwk", "a token does not bring its own key"),
    ("x5u", "a token does not choose where its key comes from"),
    ("x5c", "a token does not bring its own key"),
    (
        "crit",
        "no extension is understood (RFC 7515 section 4.1.11)",
    ),
    ("b64", "the payload is always base64url (RFC 7797)"),
    (
        "zip",
        "compressed content is not opened (RFC 8725 section 3.6)",
    ),
];

impl<'a> Header<'a> {
    /// Checks a header out of its decoded segment.
    pub(crate) fn read(bytes: &'a [u8], place: Place) -> Result<Self, TokenError> {
        let parameters = json::members(bytes, &place)?;
        let header = Self { parameters, place };
        for (name, reason) in FORBIDDEN {
            if header.parameters.contains(name) {
                return Err(header.refuse(TokenErrorKind::ForbiddenParameter { name, reason }));
            }
        }
        Ok(header)
    }

    /// A required string parameter.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, TokenError> {
        self.optional(name)?.ok_or_else(|| {
            let problem = "is absent";
            self.refuse(TokenErrorKind::Parameter { name, problem })
        })
    }

    /// A string parameter.
    pub(crate) fn optional(&self, name: &'static str) -> Result<Option<&str>, TokenError> {
        match self.parameters.get(name) {
            None => Ok(None),
            Some(Json::String(value)) => Ok(Some(value)),
            Some(_) => {
                let problem = "is not a string";
                Err(self.refuse(TokenErrorKind::Parameter { name, problem }))
            }
        }
    }

    /// The `kid`: data to look up, of bounded length.
    pub(crate) fn key_id(&self) -> Result<Option<KeyId>, TokenError> {
        self.optional("kid")?
            .map(|kid| {
                KeyId::new(kid).map_err(|_| {
                    let problem = "is empty or too long";
                    self.refuse(TokenErrorKind::Parameter {
                        name: "kid",
                        problem,
                    })
                })
            })
            .transpose()
    }

    /// Requires `cty` to say that a JWT is inside (RFC 7519 section 5.2).
    pub(crate) fn require_jwt_content(&self) -> Result<(), TokenError> {
        if media_type_eq(self.required("cty")?, "JWT") {
            return Ok(());
        }
        let problem = "does not say JWT";
        Err(self.refuse(TokenErrorKind::Parameter {
            name: "cty",
            problem,
        }))
    }

    /// Requires claims that are replicated in the header to be those inside: "the application receiving
    /// them SHOULD verify that their values are identical" (RFC 7519 section 5.3).
    pub(crate) fn require_same_claims(&self, claims: &Members<'_>) -> Result<(), TokenError> {
        for name in ["iss", "sub", "aud"] {
            let replicated = self.parameters.get(name);
            if replicated.is_some() && replicated != claims.get(name) {
                let problem = "is not the claim inside";
                return Err(self.refuse(TokenErrorKind::Parameter { name, problem }));
            }
        }
        Ok(())
    }

    /// An error at this header.
    pub(crate) fn refuse(&self, kind: TokenErrorKind) -> TokenError {
        kind.at(self.place.clone())
    }
}

/// Compares two media types as RFC 7515 section 4.1.9 says: without regard to case, and with
/// `application/` left out where no other slash stands.
pub(crate) fn media_type_eq(left: &str, right: &str) -> bool {
    fn short(name: &str) -> &str {
        match name.split_at_checked("application/".len()) {
            Some((prefix, rest))
                if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') =>
            {
                rest
            }
            _ => name,
        }
    }
    short(left).eq_ignore_ascii_case(short(right))
}
