//! JSON objects, strictly: UTF-8, no member twice, bounded depth, nothing after the object.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Number, Value};

use crate::error::{Place, TokenError, TokenErrorKind};

/// A JSON object whose member names are distinct, as a value of its own.
pub(crate) type Object = Map<String, Value>;

/// A JSON object whose member names are distinct, over the bytes it was read from: a verdict on a token
/// copies nothing it does not keep.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

/// A JSON value over the bytes it was read from; a string with escapes is its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Members<'a>),
}

impl<'a> Members<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0
            .iter()
            .find(|(member, _)| member == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of this member alone.
    pub(crate) fn take(self, name: &str) -> Option<Json<'a>> {
        let mut members = self.0.into_iter();
        members
            .find(|(member, _)| member == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a member of a name that is not there.
    pub(crate) fn add(&mut self, name: &'a str, value: Json<'a>) {
        self.0.push((Cow::Borrowed(name), value));
    }

    fn into_object(self) -> Object {
        self.0
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value.into_value()))
            .collect()
    }
}

impl Json<'_> {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value),
            Self::String(value) => Value::String(value.into_owned()),
            Self::Array(items) => Value::Array(items.into_iter().map(Json::into_value).collect()),
            Self::Object(members) => Value::Object(members.into_object()),
        }
    }
}

/// RFC 7519 nests nothing deeper than `address` of an OpenID claim set; 16 leaves room.
const MAX_DEPTH: usize = 16;

const DUPLICATE: &str = "a member stands twice";
const TOO_DEEP: &str = "nested too deep";

/// Reads one object out of `bytes`.
///
/// RFC 7515 section 4 and RFC 7519 section 4 let a reader refuse duplicate names or take the last one;
/// two readers that choose differently disagree about what was signed, so they are refused.
pub(crate) fn members<'a>(bytes: &'a [u8], place: &Place) -> Result<Members<'a>, TokenError> {
    let refuse = |reason, at| TokenErrorKind::Json { reason, at }.at(place.clone());
    let text =
        std::str::from_utf8(bytes).map_err(|error| refuse("not UTF-8", error.valid_up_to()))?;
    if !text.trim_start().starts_with('{') {
        return Err(refuse("does not start with '{'", 0));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| refuse(reason(&error), offset(text, &error)))?;
    match value {
        Json::Object(members) => Ok(members),
        _ => Err(refuse("not an object", 0)),
    }
}

/// The same as a value of its own.
pub(crate) fn object(bytes: &[u8], place: &Place) -> Result<Object, TokenError> {
    members(bytes, place).map(Members::into_object)
}

fn reason(error: &serde_json::Error) -> &'static str {
    let text = error.to_string();
    if text.starts_with(DUPLICATE) {
        DUPLICATE
    } else if text.starts_with(TOO_DEEP) {
        TOO_DEEP
    } else if error.is_eof() {
        "ends too early"
    } else {
        "syntax"
    }
}

/// Byte offset of an error that serde_json gives as line and column, both counted from 1.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let lines_before: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    (lines_before + error.column())
        .saturating_sub(1)
        .min(text.len())
}

struct Strict {
    depth: usize,
}

/// The name serde_json gives the digits of a number where its feature `arbitrary_precision` is on.
const NUMBER: &str = "$serde_json::private::Number";

/// Whether it is: an embedder, or a crate beside this one, may turn it on for everybody in the program. Every
/// number is an object of one member then, and nothing else says so.
static NUMBERS_COME_AS_OBJECTS: LazyLock<bool> = LazyLock::new(|| {
    let looks_like_one = format!("{{\"{NUMBER}\":\"1\"}}");
    serde_json::from_str::<Value>(&looks_like_one).is_ok_and(|value| value.is_number())
});

impl Strict {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        // JSON has no number that is not finite.
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let mut object = Vec::new();
        let mut names = Names::default();
        if *NUMBERS_COME_AS_OBJECTS {
            // The first name is looked at, and an object that starts otherwise is read on below.
            match members.next_key()? {
                None => return Ok(Json::Object(Members(object))),
                Some(Name(name)) if name == NUMBER => {
                    let digits: Cow<'de, str> = members.next_value()?;
                    return digits.parse().map(Json::Number).map_err(A::Error::custom);
                }
                Some(Name(name)) => {
                    let value = members.next_value_seed(self.deeper()?)?;
                    object.push((name, value));
                }
            }
        }
        while let Some(Name(name)) = members.next_key()? {
            if !names.add(&name, &object) {
                return Err(A::Error::custom(DUPLICATE));
            }
            let value = members.next_value_seed(self.deeper()?)?;
            object.push((name, value));
        }
        Ok(Json::Object(Members(object)))
    }
}

/// Finds a name that stands twice: by looking through the few members an object has, or, where it has
/// many, in a tree, so that the work does not grow with the square of what a stranger sends.
#[derive(Default)]
struct Names<'de>(BTreeSet<Cow<'de, str>>);

impl<'de> Names<'de> {
    const FEW: usize = 32;

    /// Whether `name` is none of the members that came before.
    #[expect(clippy::ptr_arg, reason = "the clone borrows what the name borrows")]
    fn add(&mut self, name: &Cow<'de, str>, before: &[(Cow<'de, str>, Json<'de>)]) -> bool {
        if before.len() < Self::FEW {
            return before.iter().all(|(member, _)| member != name);
        }
        if self.0.is_empty() {
            self.0
                .extend(before.iter().map(|(member, _)| member.clone()));
        }
        self.0.insert(name.clone())
    }
}

/// The name of a member, borrowed where it has no escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}
