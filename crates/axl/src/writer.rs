//! Writing elements, with everything escaped that must be.

use std::fmt::{self, Write as _};

use crate::nullable::Nullable;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Grows a document. Names are ours or checked, values are checked text, so nothing can fail.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: String,
}

impl Writer {
    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// `<name attributes…>…</name>`.
    pub(crate) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &dyn fmt::Display)],
        content: impl FnOnce(&mut Self),
    ) {
        self.start(name, attributes);
        self.out.push('>');
        content(self);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// `<name attributes…/>`.
    pub(crate) fn empty(&mut self, name: &str, attributes: &[(&str, &dyn fmt::Display)]) {
        self.start(name, attributes);
        self.out.push_str("/>");
    }

    /// `<name>value</name>`.
    pub(crate) fn value(&mut self, name: &str, value: &dyn fmt::Display) {
        self.element(name, &[], |w| w.text(value));
    }

    /// The element, when there is a value.
    pub(crate) fn optional<T: fmt::Display>(&mut self, name: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.value(name, value);
        }
    }

    /// The element with its value, with `xsi:nil`, or not at all.
    pub(crate) fn nullable<T: fmt::Display>(&mut self, name: &str, value: &Nullable<T>) {
        match value {
            Nullable::Missing => {}
            Nullable::Nil => self.nil(name),
            Nullable::Value(value) => self.value(name, value),
        }
    }

    pub(crate) fn nil(&mut self, name: &str) {
        self.empty(name, &[("xmlns:xsi", &XSI), ("xsi:nil", &"true")]);
    }

    pub(crate) fn text(&mut self, value: &dyn fmt::Display) {
        // A String takes everything; only a Display that fails by itself could make this fail,
        // and those given here are text, numbers and identifiers.
        let _ = write!(Escape(&mut self.out), "{value}");
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &dyn fmt::Display)]) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.text(value);
            self.out.push('"');
        }
    }
}

/// Escapes for text and for attribute values in double quotes alike.
///
/// `>` always, so that `]]>` never stands in text; carriage returns as references, because a reader
/// turns bare ones into line feeds (XML 1.0 section 2.11).
struct Escape<'o>(&'o mut String);

impl fmt::Write for Escape<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '&' => self.0.push_str("&amp;"),
                '"' => self.0.push_str("&quot;"),
                '\r' => self.0.push_str("&#13;"),
                other => self.0.push(other),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_values_stays_a_value() {
        let mut writer = Writer::default();
        writer.element("a", &[("b", &"\"<&>")], |w| w.text(&"]]></a>&lt;\r\n"));
        assert_eq!(
            writer.finish(),
            "<a b=\"&quot;&lt;&amp;&gt;\">]]&gt;&lt;/a&gt;&amp;lt;&#13;\n</a>"
        );
    }

    #[test]
    fn null_empty_and_absent_are_written_differently() {
        let mut writer = Writer::default();
        writer.nullable::<&str>("a", &Nullable::Missing);
        writer.nullable("b", &Nullable::Value(""));
        writer.nullable::<&str>("c", &Nullable::Nil);
        assert_eq!(
            writer.finish(),
            "<b></b><c xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/>"
        );
    }
}
