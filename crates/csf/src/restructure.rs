//! Adding and removing nodes and lines.

use std::collections::HashSet;
use std::ops::Range;

use crate::config::DeviceConfig;
use crate::device::{LineSettings, Member};
use crate::document::{Document, Element};
use crate::edit::{Edit, EditError};
use crate::line::Line;
use crate::write;

impl Document {
    /// Removes an element, and its line when nothing else stands on it.
    ///
    /// # Errors
    ///
    /// [`EditError`], and then the document is as before. The root cannot be removed.
    pub fn remove(&mut self, path: &str) -> Result<Edit, EditError> {
        let range = self.line_of(self.element_at(path)?.text_range());
        self.replace(range, "")
    }

    /// The span with its indentation and line end, when it stands alone between line ends; with the line end and indentation
    /// before it, when nothing but the end of its parent follows on its line.
    fn line_of(&self, span: Range<usize>) -> Range<usize> {
        let before = self.text.get(..span.start).unwrap_or_default();
        let after = self.text.get(span.end..).unwrap_or_default();
        let start = before.trim_end_matches([' ', '\t']).len();
        let rest = after.trim_start_matches([' ', '\t']);
        let line_ends = ["\r\n", "\n"];
        let begins_line = before
            .get(..start)
            .and_then(|before| line_ends.iter().find_map(|end| before.strip_suffix(end)));
        let line_end = line_ends.into_iter().find(|&end| rest.starts_with(end));
        match (begins_line, line_end) {
            (Some(_), Some(line_end)) => {
                start..span.end + (after.len() - rest.len()) + line_end.len()
            }
            (Some(before), None) if after.starts_with("</") => before.len()..span.end,
            _ => span,
        }
    }

    /// Puts a fragment after the last child called `name` of the element at `parent`, or before its other content.
    fn append(&mut self, parent: &str, name: &str, fragment: &str) -> Result<Edit, EditError> {
        let element = self.element_at(parent)?;
        let last = element.children_named(name).last();
        let separator = last.map_or("", |last| self.white_space_before(last));
        // The line end beside it counts: a comment elsewhere may have another.
        let crlf = if separator.contains('\n') {
            separator.contains("\r\n")
        } else {
            self.text.contains("\r\n")
        };
        let fragment = if crlf {
            fragment.replace('\n', "\r\n")
        } else {
            fragment.to_owned()
        };
        let fragment = fragment.trim_end();
        if element.is_self_closing() {
            let end = element.text_range().end;
            let replacement = format!(">{fragment}</{}>", element.name());
            return self.replace(end - 2..end, &replacement);
        }
        let Some(last) = last else {
            let at = element.content_range().start;
            return self.replace(at..at, fragment);
        };
        // The new one is set off from the last as that is from what stands before it.
        let fragment = format!("{separator}{fragment}");
        let at = last.text_range().end;
        self.replace(at..at, &fragment)
    }

    fn white_space_before(&self, element: Element<'_>) -> &str {
        let before = self
            .text
            .get(..element.text_range().start)
            .unwrap_or_default();
        before
            .get(before.trim_end_matches([' ', '\t', '\r', '\n']).len()..)
            .unwrap_or_default()
    }
}

/// The path of the nodes.
pub(crate) const MEMBERS: &str = "/device/devicePool/callManagerGroup/members";
const LINES: &str = "/device/sipProfile/sipLines";

impl DeviceConfig {
    /// Adds a node after the last one, written as the product writes it, with the file's own line ends.
    ///
    /// Its `priority` is written as it is: a node to fall back to has a higher one than the others.
    ///
    /// # Errors
    ///
    /// [`EditError`], and then the file is as before.
    ///
    /// ```
    /// use sip_oauth_csf::{DeviceConfig, DeviceFile, Limits, LineSettings, Member, Place};
    ///
    /// let file = DeviceFile::builder("CSFrado".parse()?, "7b2e9d14-3c5f-4a68-8e90-1d2c3b4a5f6e")
    ///     .node(Member::new("cucm1.example.com"))
    ///     .line(LineSettings::new("2001"))
    ///     .sip_oauth()
    ///     .to_xml()?;
    /// let mut config = DeviceConfig::read(file.as_bytes(), &Limits::default())?;
    ///
    /// config.add_member(&Member { priority: 1, ..Member::new("cucm2.example.com") })?;
    /// assert_eq!(config.registration_targets(Place::OnPremises)?[1].host, "cucm2.example.com");
    /// config.remove_member(1)?;
    /// assert_eq!(config.source(), file.as_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_member(&mut self, member: &Member) -> Result<Edit, EditError> {
        let fragment = write::member(member)?;
        self.document.append(MEMBERS, "member", &fragment)
    }

    /// Removes a node, chosen by its place among the members of the file, from 0.
    ///
    /// # Errors
    ///
    /// [`EditError`] when there is no such node, and then the file is as before.
    pub fn remove_member(&mut self, node: usize) -> Result<Edit, EditError> {
        self.document
            .remove(&format!("{MEMBERS}/member[{}]", node.saturating_add(1)))
    }

    /// Adds a line after the last one, as [`add_member`](Self::add_member) a node.
    ///
    /// A button that another line or feature has already is not given twice: the new line gets the first that is free
    /// instead. So it is with the index among the lines.
    ///
    /// # Errors
    ///
    /// [`EditError`], and then the file is as before.
    pub fn add_line(&mut self, line: &LineSettings) -> Result<Edit, EditError> {
        let (mut buttons, mut indexes) = (HashSet::new(), HashSet::new());
        let mut lines = 0;
        for line in self.lines() {
            buttons.extend(line.readable_number("button", Line::DEFAULT_BUTTON));
            // A line without an index is counted all the same: its place is its index.
            lines += u32::from(line.is_registering());
            indexes.extend(line.readable_number("lineIndex", lines));
        }
        let line = LineSettings {
            button: free(line.button, &buttons),
            line_index: line.line_index.map(|index| free(index, &indexes)),
            ..line.clone()
        };
        let fragment = write::line(&line)?;
        self.document.append(LINES, "line", &fragment)
    }

    /// Removes a line or button, chosen by its place among the lines of the file, from 0.
    ///
    /// # Errors
    ///
    /// [`EditError`] when there is no such line, and then the file is as before.
    pub fn remove_line(&mut self, line: usize) -> Result<Edit, EditError> {
        self.document
            .remove(&format!("{LINES}/line[{}]", line.saturating_add(1)))
    }
}

/// A number if it is free, else the first that is.
fn free(number: u32, taken: &HashSet<u32>) -> u32 {
    // Among one more than there are, one is free.
    let last = u32::try_from(taken.len()).map_or(u32::MAX, |len| len.saturating_add(1));
    if taken.contains(&number) {
        (1..=last)
            .find(|number| !taken.contains(number))
            .unwrap_or(number)
    } else {
        number
    }
}
