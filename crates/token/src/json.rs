//! JSON objects, strictly: UTF-8, no member twice, bounded depth, nothing after the object.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::{Place, TokenError, TokenErrorKind};

/// A JSON object whose member names are distinct.
pub(crate) type Object = Map<String, Value>;

/// RFC 7519 nests nothing deeper than `address` of an OpenID claim set; 16 leaves room.
const MAX_DEPTH: usize = 16;

const DUPLICATE: &str = "a member stands twice";
const TOO_DEEP: &str = "nested too deep";

/// Reads one object out of `bytes`.
///
/// RFC 7515 section 4 and RFC 7519 section 4 let a reader refuse duplicate names or take the last one;
/// two readers that choose differently disagree about what was signed, so they are refused.
pub(crate) fn object(bytes: &[u8], place: &Place) -> Result<Object, TokenError> {
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
        Value::Object(object) => Ok(object),
        _ => Err(refuse("not an object", 0)),
    }
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
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self.deeper()?)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
        }
        Ok(Value::Object(object))
    }
}
