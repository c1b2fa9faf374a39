//! Bearer credentials, in all forms that are on the wire.

use std::fmt::{self, Write as _};

use super::params::{AuthParam, AuthParams, auth_params, each_auth_param};
use super::secret::SecretValue;
use crate::grammar::{Parsed, cut, expected_kind, into_error, skip_lws, token68_span, trim_end};
use crate::scan::find;
use crate::{ErrorKind, ParseError, Text};

/// An access token and how it is written.
///
/// | written | by whom |
/// |---|---|
/// | `Bearer token="T"` | Jabber and Unified CM |
/// | `Bearer token=T` | allowed by the same grammar |
/// | `Bearer token="T", username="U", realm="R"` | PJSIP, Google Voice |
/// | `Bearer T` | RFC 6750 section 2.1, RFC 8898 section 2.1.3 |
/// | `Bearer T, realm="R"` | belle-sip |
///
/// All are read. A second `token`, an empty one, a token with bytes outside visible ASCII and a
/// comma at the end are refused.
///
/// `Debug` and `Display` print the length; the token is reached through
/// [`expose`](Self::expose) only.
///
/// ```
/// use sip_oauth_message::{BearerCredentials, BearerForm, Credentials};
/// let Credentials::Bearer(bearer) = Credentials::parse(r#"Bearer T.T.T, realm="r""#)? else {
///     unreachable!()
/// };
/// assert_eq!((bearer.form(), bearer.expose()), (BearerForm::Token68, "T.T.T"));
/// let cisco = BearerCredentials::new("T.T.T", BearerForm::TokenParameter)?;
/// assert_eq!(cisco.to_header_value().expose(), r#"Bearer token="T.T.T""#);
/// assert_eq!(format!("{cisco:?}"), "Bearer <5 bytes>");
/// # Ok::<(), sip_oauth_message::ParseError>(())
/// ```
#[derive(Clone, Copy)]
pub struct BearerCredentials<'a> {
    token: &'a str,
    form: BearerForm,
    username: Option<Text<'a>>,
    realm: Option<Text<'a>>,
    rest: AuthParams<'a>,
}

/// How the token is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BearerForm {
    /// `token="…"`, a parameter. Unified CM's form.
    TokenParameter,
    /// `token68`, the form of RFC 6750 and RFC 8898.
    Token68,
}

impl<'a> BearerCredentials<'a> {
    /// A token to be written in `form`.
    ///
    /// # Errors
    ///
    /// When the token is empty, or has characters that cannot be written in this form.
    pub fn new(token: &'a str, form: BearerForm) -> Result<Self, ParseError> {
        let fail = |error| into_error(&error, token);
        match form {
            BearerForm::TokenParameter => check_visible(token).map_err(fail)?,
            BearerForm::Token68 => {
                check_token68(token, token68_span(token.as_bytes())).map_err(fail)?
            }
        };
        Ok(Self {
            token,
            form,
            username: None,
            realm: None,
            rest: AuthParams::EMPTY,
        })
    }

    /// The same with a user name, as PJSIP writes it.
    #[must_use]
    pub const fn with_username(mut self, username: &'a str) -> Self {
        self.username = Some(Text::Plain(username));
        self
    }

    /// The same with a realm, as PJSIP and belle-sip write it.
    #[must_use]
    pub const fn with_realm(mut self, realm: &'a str) -> Self {
        self.realm = Some(Text::Plain(realm));
        self
    }

    /// The token. It is a secret: whoever has it is the user.
    pub const fn expose(&self) -> &'a str {
        self.token
    }

    /// How the token is written.
    pub const fn form(&self) -> BearerForm {
        self.form
    }

    /// The user name beside the token.
    pub const fn username(&self) -> Option<Text<'a>> {
        self.username
    }

    /// The realm beside the token.
    pub const fn realm(&self) -> Option<Text<'a>> {
        self.realm
    }

    /// All parameters other than token, user name and realm; a second user name or realm is among
    /// them.
    pub fn other_params(&self) -> impl Iterator<Item = AuthParam<'a>> + use<'a> {
        self.rest.except_first(["token", "username", "realm"])
    }

    /// The value as it goes into the header field, token included.
    pub fn to_header_value(&self) -> SecretValue {
        // Enough for everything, so that no copy of the token is left behind when the text grows:
        // each character of user name and realm may take a backslash.
        let own: usize = [self.username, self.realm]
            .into_iter()
            .flatten()
            .map(|value| 2 * value.as_written().len())
            .sum();
        let written = self.token.len() + own + self.rest.as_str().len();
        let mut text = String::with_capacity(written + 2 * self.rest.iter().count() + 64);
        text.push_str("Bearer ");
        match self.form {
            BearerForm::TokenParameter => {
                text.push_str("token=\"");
                text.push_str(self.token);
                text.push('"');
            }
            BearerForm::Token68 => text.push_str(self.token),
        }
        let own = [("username", self.username), ("realm", self.realm)];
        let own = own.into_iter().filter_map(|(name, value)| {
            let value = value?;
            Some(AuthParam { name, value })
        });
        for param in own.chain(self.other_params()) {
            write!(text, ", {param}").expect("writing to a String does not fail");
        }
        SecretValue::new(text)
    }
}

/// By their length: it is no `Display`, so that nothing writes this into a message.
impl fmt::Debug for BearerCredentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bearer <{} bytes>", self.token.len())
    }
}

/// What follows the scheme.
pub(super) fn bearer(input: &str) -> Parsed<'_, BearerCredentials<'_>> {
    // Neither of the two is a character of a token68.
    let token_end = token68_span(input.as_bytes());
    let at = find(input.as_bytes(), token_end, [b'=', b',']);
    let rest = cut(input, at).1;
    let behind_padding = rest.trim_start_matches('=');
    let value = skip_lws(behind_padding);
    // Whether the first `=` belongs to a parameter and is not the padding of a token68.
    if rest.starts_with('=') && !value.is_empty() && !value.starts_with(',') {
        token_parameter(input)
    } else {
        let padded_end = at + (rest.len() - behind_padding.len());
        token68(input, token_end, padded_end)
    }
}

/// `token="…"` among other parameters.
fn token_parameter(input: &str) -> Parsed<'_, BearerCredentials<'_>> {
    let (mut token, mut is_only) = (None, true);
    let (mut username, mut realm) = (None, None);
    let (rest, params) = each_auth_param(input, |param| {
        if param.name.eq_ignore_ascii_case("token") {
            is_only &= token.replace(param.value).is_none();
        } else if param.name.eq_ignore_ascii_case("username") {
            username = username.or(Some(param.value));
        } else if param.name.eq_ignore_ascii_case("realm") {
            realm = realm.or(Some(param.value));
        }
    })?;
    if !is_only {
        return expected_kind(input, ErrorKind::Credentials, "one token");
    }
    let Some(token) = token.map(|token| token.as_written()) else {
        return expected_kind(input, ErrorKind::Credentials, "a token");
    };
    if check_visible(token).is_err() {
        let what = "a token of visible ASCII characters";
        return expected_kind(input, ErrorKind::Credentials, what);
    }
    let bearer = BearerCredentials {
        token,
        form: BearerForm::TokenParameter,
        username,
        realm,
        rest: params,
    };
    Ok((rest, bearer))
}

/// `token68 *( COMMA auth-param )`, the token ending at `end` and the characters of a token68 at
/// `span`, before the padding.
fn token68(input: &str, span: usize, end: usize) -> Parsed<'_, BearerCredentials<'_>> {
    let (token, rest) = cut(input, end);
    let rest = skip_lws(rest);
    let token = trim_end(token);
    if let Err(error) = check_token68(token, span) {
        return Err(error.map(|mut e| {
            // From the end of the token to the end of the input.
            e.remaining += input.len() - token.len();
            e
        }));
    }
    let (rest, params) = match rest.strip_prefix(',') {
        Some(params) => auth_params(skip_lws(params))?,
        None => (rest, AuthParams::EMPTY),
    };
    if params.get("token").is_some() {
        return expected_kind(input, ErrorKind::Credentials, "one token");
    }
    let bearer = BearerCredentials {
        token,
        form: BearerForm::Token68,
        username: params.get("username"),
        realm: params.get("realm"),
        rest: params,
    };
    Ok((rest, bearer))
}

/// Visible ASCII that needs no backslash in a quoted string, and at least one character of it.
fn check_visible(token: &str) -> Parsed<'_, ()> {
    let is_visible = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let good = is_nearly_alphanumeric(token.as_bytes()) || token.bytes().all(is_visible);
    if !good || token.is_empty() {
        let what = "a token of visible ASCII characters";
        return expected_kind(token, ErrorKind::Credentials, what);
    }
    Ok(("", ()))
}

/// Whether all bytes are between `#` and `~` and none is a backslash, as in nearly all tokens.
/// The most and the least that is found takes fewer instructions than comparing each byte.
fn is_nearly_alphanumeric(bytes: &[u8]) -> bool {
    let (most, least) = bytes.iter().fold((0, u8::MAX), |(most, least), &byte| {
        (byte.wrapping_sub(b'#').max(most), (byte ^ b'\\').min(least))
    });
    most <= b'~' - b'#' && least > 0
}

/// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`, where so many bytes at
/// the front of `token` are of those before the padding.
fn check_token68(token: &str, span: usize) -> Parsed<'_, ()> {
    let text = token.trim_end_matches('=');
    // `token=` without a value is an empty token, not the token "token".
    let empty = text.is_empty() || (text.len() < token.len() && text.eq_ignore_ascii_case("token"));
    if span != text.len() || empty {
        return expected_kind(token, ErrorKind::Credentials, "a token68");
    }
    Ok(("", ()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{check_token68, check_visible};
    use crate::grammar::token68_span;

    proptest! {
        #[test]
        fn a_token_is_checked_as_a_look_at_each_byte_checks_it(
            token in "[A-Za-z0-9._-]{0,200}[!-~]?[A-Za-z0-9._+/~-]{0,40}( |é|\u{7f}|\\\\)?={0,2}"
        ) {
            let is_visible = |byte: u8| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
            let plain = !token.is_empty() && token.bytes().all(is_visible);
            prop_assert_eq!(check_visible(&token).is_ok(), plain);

            let text = token.trim_end_matches('=');
            let is_token68 = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            let plain = !text.is_empty() && text.bytes().all(is_token68);
            let checked = check_token68(&token, token68_span(token.as_bytes())).is_ok();
            prop_assert!(checked == plain || text.eq_ignore_ascii_case("token"));
        }
    }
}
