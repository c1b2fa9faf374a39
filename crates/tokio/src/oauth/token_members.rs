//! The members of a token endpoint's answer (RFC 6749 sections 5.1 and 5.2), read where they lie.

use std::{borrow::Cow, fmt, ops::Deref};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroize as _;

/// What we look at. `scope` and members nobody knows are left alone, whatever they are.
#[derive(Default)]
pub(super) struct Members<'a> {
    pub(super) access_token: Member<'a>,
    pub(super) token_type: Member<'a>,
    pub(super) refresh_token: Member<'a>,
    pub(super) expires_in: Member<'a>,
    pub(super) error: Member<'a>,
}

/// What stands in one of them. Each is judged by itself, so that one of a wrong type is told by its name.
#[derive(Default)]
pub(super) enum Member<'a> {
    /// Not there, or `null`, as servers write it.
    #[default]
    Absent,
    /// There more than once.
    Repeated,
    Text(Text<'a>),
    /// A number, and its value if it is whole and not negative.
    Number(Option<u64>),
    /// Anything else, by its name.
    Other(&'static str),
}

/// A string over the body it was read from. One with escapes, as servers write `/`, is its own and is wiped.
pub(super) struct Text<'a>(Cow<'a, str>);

/// A member that is not what it must be: which, what it must be, what it is; never what stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mistyped {
    name: &'static str,
    expected: &'static str,
    found: &'static str,
}

impl<'a> Members<'a> {
    /// Reads the body of an answer.
    ///
    /// # Errors
    ///
    /// What it is instead of one JSON object.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| {
            // The words of serde_json quote what they found.
            let (line, column) = (error.line(), error.column());
            match error.classify() {
                serde_json::error::Category::Data => "not a JSON object".to_owned(),
                serde_json::error::Category::Eof => "not JSON: it ends too early".to_owned(),
                _ => format!("not JSON: syntax error at line {line}, column {column}"),
            }
        })
    }
}

impl Member<'_> {
    /// The string it is, or `None` where there is none.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, Mistyped> {
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            _ => Err(self.mistyped(name, "a string")),
        }
    }

    /// The whole number it is; some servers write it as a string.
    pub(super) fn whole_number(&self, name: &'static str) -> Result<Option<u64>, Mistyped> {
        let number = match self {
            Self::Absent => return Ok(None),
            Self::Number(number) => *number,
            Self::Text(text) => text.parse().ok(),
            Self::Repeated | Self::Other(_) => None,
        };
        let expected = "a whole number that is not negative";
        number.map_or_else(|| Err(self.mistyped(name, expected)), |n| Ok(Some(n)))
    }

    fn mistyped(&self, name: &'static str, expected: &'static str) -> Mistyped {
        let found = match self {
            Self::Absent => "nothing",
            Self::Repeated => "more than one",
            Self::Text(_) => "another string",
            Self::Number(Some(_)) => "a number",
            Self::Number(None) => "a number that is negative, too large or has a fraction",
            Self::Other(found) => found,
        };
        Mistyped {
            name,
            expected,
            found,
        }
    }
}

impl fmt::Display for Mistyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            expected,
            found,
        } = self;
        write!(f, "{name}: expected {expected}, found {found}")
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Text<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Name {
    AccessToken,
    TokenType,
    RefreshToken,
    ExpiresIn,
    Error,
    #[serde(other)]
    Unknown,
}

/// By hand, since what serde derives takes an array for an object too, and gives up at the first odd member.
impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::default();
                while let Some(name) = object.next_key()? {
                    let member = match name {
                        Name::AccessToken => &mut members.access_token,
                        Name::TokenType => &mut members.token_type,
                        Name::RefreshToken => &mut members.refresh_token,
                        Name::ExpiresIn => &mut members.expires_in,
                        Name::Error => &mut members.error,
                        Name::Unknown => {
                            object.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    let value = object.next_value()?;
                    // "Request and response parameters MUST NOT be included more than once" (section 3.2).
                    *member = match member {
                        Member::Absent => value,
                        _ => Member::Repeated,
                    };
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// The name serde_json gives the digits of a number where somebody in the program has turned on its feature
/// `arbitrary_precision`: every number is an object of one member then.
const NUMBER: &str = "$serde_json::private::Number";

impl<'de> Deserialize<'de> for Member<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyMember)
    }
}

struct AnyMember;

impl<'de> Visitor<'de> for AnyMember {
    type Value = Member<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Member<'de>, E> {
        Ok(Member::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Member<'de>, E> {
        Ok(Member::Other("true or false"))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Member<'de>, E> {
        Ok(Member::Number(Some(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Member<'de>, E> {
        Ok(Member::Number(value.try_into().ok()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Member<'de>, E> {
        Ok(Member::Number(None))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Member<'de>, E> {
        Ok(Member::Text(Text(Cow::Borrowed(value))))
    }

    fn visit_str<E>(self, value: &str) -> Result<Member<'de>, E> {
        Ok(Member::Text(Text(Cow::Owned(value.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Member<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Member::Other("an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Member<'de>, A::Error> {
        let mut found = Member::Other("an object");
        while let Some(name) = members.next_key::<Cow<'_, str>>()? {
            if name == NUMBER {
                let digits: Member<'_> = members.next_value()?;
                found = Member::Number(digits.whole_number("").ok().flatten());
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token that is copied while it is read lies where nobody wipes it.
    #[test]
    fn tokens_are_read_where_they_lie_unless_they_have_escapes() {
        let body = br#"{"access_token":"a-token","refresh_token":"a\/b","token_type":"Bearer"}"#;
        let members = Members::read(body).unwrap();
        let is_borrowed = |member: &Member<'_>, expected: &str| match member {
            Member::Text(Text(Cow::Borrowed(text))) => *text == expected,
            _ => false,
        };
        assert!(is_borrowed(&members.access_token, "a-token"));
        assert!(is_borrowed(&members.token_type, "Bearer"));
        assert!(matches!(&members.refresh_token,
            Member::Text(Text(Cow::Owned(text))) if text == "a/b"));
    }

    #[test]
    fn rfc6749_section_5_1_a_member_of_a_wrong_type_is_told_by_name_and_not_by_value() {
        for (value, found) in [
            ("424242", "a number"),
            ("-424242", "negative"),
            ("42.4242", "fraction"),
            ("true", "true or false"),
            (r#"["424242"]"#, "an array"),
            (r#"{"token":"424242"}"#, "an object"),
            (r#""a","access_token":"424242""#, "more than one"),
        ] {
            let body = format!(r#"{{"access_token":{value}}}"#);
            let members = Members::read(body.as_bytes()).unwrap();
            let sentence = members.access_token.text("access_token").unwrap_err();
            let sentence = sentence.to_string();
            let start = "access_token: expected a string, found ";
            assert!(sentence.starts_with(start), "{sentence}");
            assert!(sentence[start.len()..].contains(found), "{sentence}");
            assert!(!sentence.contains("42"), "{sentence}");
        }
    }

    #[test]
    fn rfc6749_section_5_1_a_lifetime_is_a_whole_number_also_as_a_string() {
        let lifetime = |value: &str| {
            let body = format!(r#"{{"expires_in":{value}}}"#);
            let members = Members::read(body.as_bytes()).unwrap();
            members.expires_in.whole_number("expires_in")
        };
        assert_eq!(lifetime("3600"), Ok(Some(3600)));
        assert_eq!(lifetime(r#""3600""#), Ok(Some(3600)));
        assert_eq!(lifetime("null"), Ok(None));
        // As serde_json gives a number with `arbitrary_precision`.
        let by_another_crate = format!(r#"{{"{NUMBER}":"3600"}}"#);
        assert_eq!(lifetime(&by_another_crate), Ok(Some(3600)));
        for none in ["-1", "1.5", "1e40", r#""soon""#, "[3600]", "{}", "false"] {
            let error = lifetime(none).unwrap_err().to_string();
            assert!(error.starts_with("expires_in: expected a whole"), "{error}");
        }
    }

    #[test]
    fn what_is_no_object_is_told_without_a_word_of_it() {
        for (body, expected) in [
            (r#"["a-token","Bearer"]"#, "not a JSON object"),
            (r#""a-token""#, "not a JSON object"),
            ("", "not JSON: it ends too early"),
            (r#"{"access_token":"a-to"#, "not JSON: it ends too early"),
            ("<html>", "not JSON: syntax error at line 1, column 1"),
            (
                r#"{"access_token":"a-token",}"#,
                "not JSON: syntax error at line 1, column 27",
            ),
        ] {
            assert_eq!(Members::read(body.as_bytes()).err().unwrap(), expected);
        }
    }
}
