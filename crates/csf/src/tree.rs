//! Where the elements of a text begin and how they nest: eight bytes each, the rest is read off the text when asked for.
//!
//! The shortest element, `<a/>`, has four bytes, so that the tree of a text is never more than twice as long as the text.

use std::ops::Range;

use crate::work;

/// The shortest element.
const SHORTEST: usize = "<a/>".len();

/// The elements of a text, in document order; the root is the first.
///
/// Every method is given the text the tree was made of. What a method reads off it, the reader has accepted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    elements: Vec<Record>,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    /// The `<` of the start tag.
    start: u32,
    /// The index after the last descendant, which is the next sibling's when there is one. 0 while the element is open.
    subtree_end: u32,
}

impl Tree {
    /// Makes room for the elements of another text: `source`, of which there will be `expected` unless it is unusual.
    pub(crate) fn clear_for(&mut self, expected: usize) {
        self.elements.clear();
        if self.elements.capacity() < expected {
            // Not beside the old room, which nobody needs any more.
            self.elements = Vec::new();
            self.elements.reserve_exact(expected);
        }
    }

    /// Opens an element whose start tag begins at `start`, and gives its index.
    pub(crate) fn open(&mut self, start: usize, source: &str) -> u32 {
        let index = self.elements.len();
        if index == self.elements.capacity() {
            // A text cannot have more elements than this: the last step goes there and not beyond.
            let most = source.len() / SHORTEST + 1;
            let doubled = 2 * index.max(8);
            let enough = if doubled + index / 8 < most {
                doubled
            } else {
                most
            };
            let more = enough.saturating_sub(index).max(1);
            self.elements.reserve_exact(more);
        }
        self.elements.push(Record {
            start: compact(start),
            subtree_end: 0,
        });
        compact(index)
    }

    /// Closes an element: those opened since are in it.
    pub(crate) fn close(&mut self, index: u32) {
        let subtree_end = compact(self.elements.len());
        if let Some(record) = self.elements.get_mut(index as usize) {
            record.subtree_end = subtree_end;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.elements.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    fn record(&self, index: u32) -> Record {
        work::count(1);
        // Indices are only made here, and a text is never shown with another one's tree.
        self.elements
            .get(index as usize)
            .copied()
            .expect("an element's index is in its tree")
    }

    /// The index after its last descendant.
    pub(crate) fn subtree_end(&self, index: u32) -> u32 {
        match self.record(index).subtree_end {
            0 => compact(self.elements.len()),
            end => end,
        }
    }

    pub(crate) fn is_leaf(&self, index: u32) -> bool {
        self.subtree_end(index) == index + 1
    }

    pub(crate) fn children(&self, index: u32) -> impl Iterator<Item = u32> + '_ {
        let end = self.subtree_end(index);
        let mut next = index + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let child = next;
                next = self.subtree_end(child);
                child
            })
        })
    }

    /// The child of `ancestor` that is `index` or has it below.
    fn step_towards(&self, ancestor: u32, index: u32) -> Option<u32> {
        self.children(ancestor)
            .find(|&child| index < self.subtree_end(child))
    }

    /// The element around one, none for the root. Found from the root down.
    pub(crate) fn parent(&self, index: u32) -> Option<u32> {
        let mut parent = None;
        let mut at = 0;
        while at != index {
            parent = Some(at);
            at = self.step_towards(at, index)?;
        }
        parent
    }

    /// The path from the root. While the text is being read later siblings are not known: a number then appears from the
    /// second on.
    pub(crate) fn path(&self, source: &str, index: u32) -> String {
        let mut path = format!("/{}", self.name(source, 0));
        let mut at = 0;
        while at != index
            && let Some(step) = self.step_towards(at, index)
        {
            let name = self.name(source, step);
            let is_same = |&sibling: &u32| self.is_named(source, sibling, name);
            let before = self
                .children(at)
                .take_while(|&sibling| sibling < step)
                .filter(is_same)
                .count();
            let mut after = self.children(at).skip_while(|&sibling| sibling <= step);
            path.push('/');
            path.push_str(name);
            if before > 0 || after.any(|sibling| is_same(&sibling)) {
                path.push_str(&["[", &(before + 1).to_string(), "]"].concat());
            }
            at = step;
        }
        path
    }

    /// The `<` of the start tag.
    pub(crate) fn start(&self, index: u32) -> usize {
        self.record(index).start as usize
    }

    pub(crate) fn name<'a>(&self, source: &'a str, index: u32) -> &'a str {
        let tag = source.get(self.start(index) + 1..).unwrap_or_default();
        let len = tag.bytes().position(ends_name).unwrap_or(tag.len());
        work::count(len);
        tag.get(..len).unwrap_or_default()
    }

    pub(crate) fn is_named(&self, source: &str, index: u32, name: &str) -> bool {
        let tag = source.as_bytes().get(self.start(index) + 1..);
        tag.and_then(|tag| tag.strip_prefix(name.as_bytes()))
            .and_then(<[u8]>::first)
            .is_some_and(|&byte| ends_name(byte))
    }

    /// The byte after the `>` of the start tag.
    pub(crate) fn content_start(&self, source: &str, index: u32) -> usize {
        let start = self.start(index);
        let mut quote = None;
        let tag = source.as_bytes().get(start..).unwrap_or_default();
        let end = tag.iter().position(|&byte| match (quote, byte) {
            (None, b'>') => true,
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                false
            }
            (Some(open), _) if open == byte => {
                quote = None;
                false
            }
            _ => false,
        });
        let end = end.map_or(source.len(), |end| start + end + 1);
        work::count(end - start);
        end
    }

    /// What stands in the start tag, from the name on.
    pub(crate) fn start_tag<'a>(&self, source: &'a str, index: u32) -> &'a str {
        let tag = self.start(index) + 1..self.content_start(source, index).saturating_sub(1);
        let tag = source.get(tag).unwrap_or_default();
        tag.strip_suffix('/').unwrap_or(tag)
    }

    pub(crate) fn is_self_closing(&self, source: &str, index: u32) -> bool {
        let content = self.content_start(source, index);
        source
            .get(..content)
            .is_some_and(|before| before.ends_with("/>"))
    }

    /// The bytes between the tags; empty behind the tag for `<a/>`.
    pub(crate) fn content(&self, source: &str, index: u32) -> Range<usize> {
        let content = self.content_start(source, index);
        // No tag stands between the start tag of the last descendant and the end tags of those around it.
        let mut last = index;
        let mut around = 0usize;
        while let Some(child) = self.children(last).last() {
            last = child;
            around += 1;
        }
        let mut at = self.content_start(source, last);
        if self.is_self_closing(source, last) {
            if around == 0 {
                return content..content;
            }
            around -= 1;
        }
        for _ in 0..around {
            at = tag_end(source, next_end_tag(source, at));
        }
        content..next_end_tag(source, at)
    }

    /// All bytes, from `<` to the `>` of the end tag.
    pub(crate) fn range(&self, source: &str, index: u32) -> Range<usize> {
        let content = self.content(source, index);
        let end = if self.is_self_closing(source, index) {
            content.end
        } else {
            tag_end(source, content.end)
        };
        self.start(index)..end
    }
}

/// Where in `source` a part of it begins: the tokens of quick-xml borrow from the text they were made from, and addresses
/// tell where.
pub(crate) fn offset_in(source: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(source.as_ptr().addr())
}

fn ends_name(byte: u8) -> bool {
    matches!(byte, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n')
}

/// The `<` of the first end tag at or behind `from`, over text, comments, CDATA and processing instructions.
fn next_end_tag(source: &str, from: usize) -> usize {
    let end = find_end_tag(source, from);
    work::count(end - from);
    end
}

fn find_end_tag(source: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(rest) = source.get(at..) {
        let Some(tag) = rest.find('<') else {
            break;
        };
        at += tag;
        let markup = rest.get(tag..).unwrap_or_default();
        if markup.starts_with("</") {
            return at;
        }
        let (begin, end) = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")]
            .into_iter()
            .find(|(begin, _)| markup.starts_with(begin))
            .unwrap_or(("<", ">"));
        let inside = markup.get(begin.len()..).unwrap_or_default();
        at += begin.len() + inside.find(end).map_or(inside.len(), |at| at + end.len());
    }
    source.len()
}

/// The byte after the `>` of the end tag at `at`.
fn tag_end(source: &str, at: usize) -> usize {
    let rest = source.get(at..).unwrap_or_default();
    at + rest.find('>').map_or(rest.len(), |end| end + 1)
}

/// An offset or index as the records keep it. The text is at most `u32::MAX` bytes long.
fn compact(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
