//! One row of text, cell by cell, each cell with its ink.

/// What a cell is drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ink {
    #[default]
    Plain,
    Bold,
    Faint,
    Line,
    Accent,
    Good,
    Bad,
}

impl Ink {
    /// The SGR sequence that starts this ink (ECMA-48 §8.3.117).
    fn start(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\x1b[1m",
            Self::Faint | Self::Line => "\x1b[2m",
            Self::Accent => "\x1b[1;36m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
        }
    }
}

/// The four rows of a party's box.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Top,
    Name,
    Instance,
    Bottom,
}

/// A row of cells; every character takes one column.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    cells: Vec<(char, Ink)>,
}

impl Row {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Writes `text` from `column` on, over what stands there.
    pub(super) fn put(&mut self, column: usize, text: &str, ink: Ink) {
        for (offset, character) in text.chars().enumerate() {
            self.set(column + offset, character, ink);
        }
    }

    /// Blanks from `from` up to, not including, `to`.
    pub(super) fn clear(&mut self, from: usize, to: usize) {
        for column in from..to {
            self.set(column, ' ', Ink::Plain);
        }
    }

    /// One row of a box centred on `column`.
    pub(super) fn put_box(&mut self, column: usize, part: Part, name: &str, instance: &str) {
        let inner = name.chars().count().max(instance.chars().count()) + 2;
        // An odd inner width puts the lifeline under the very middle.
        let inner = inner + 1 - inner % 2;
        let left = column.saturating_sub(inner / 2 + 1);
        let bar = |middle: char, ends: (char, char)| -> String {
            let half = inner / 2;
            let side = |n: usize| std::iter::repeat_n('─', n);
            [ends.0]
                .into_iter()
                .chain(side(half))
                .chain([middle])
                .chain(side(half))
                .chain([ends.1])
                .collect()
        };
        let text = |text: &str| format!("│{text:^inner$}│");
        match part {
            Part::Top => self.put(left, &bar('─', ('┌', '┐')), Ink::Line),
            Part::Bottom => self.put(left, &bar('┬', ('└', '┘')), Ink::Line),
            Part::Name | Part::Instance => {
                let (what, ink) = match part {
                    Part::Name => (name, Ink::Bold),
                    _ => (instance, Ink::Plain),
                };
                self.put(left, &text(what), ink);
                self.put(left, "│", Ink::Line);
                self.put(left + inner + 1, "│", Ink::Line);
            }
        }
    }

    /// An arrow between two lifelines; one that stands for a refusal is broken.
    pub(super) fn put_arrow(&mut self, from: usize, to: usize, transport: &str, refused: bool) {
        let (left, right) = (from.min(to), from.max(to));
        let (stroke, ink) = if refused {
            ('╌', Ink::Bad)
        } else {
            ('─', Ink::Line)
        };
        for column in left + 1..right {
            let crossing = self
                .cells
                .get(column)
                .is_some_and(|(character, _)| *character == '│');
            self.set(column, if crossing { '┼' } else { stroke }, ink);
        }
        let rightwards = to > from;
        self.set(from, if rightwards { '├' } else { '┤' }, Ink::Line);
        if rightwards {
            self.set(to.saturating_sub(1), '▶', ink);
        } else {
            self.set(to + 1, '◀', ink);
        }
        if !transport.is_empty() {
            let text = format!(" {transport} ");
            let length = text.chars().count();
            let column = if rightwards {
                to.saturating_sub(length + 3)
            } else {
                to + 4
            };
            self.put(column, &text, Ink::Faint);
        }
    }

    /// Appends the row to `out` without trailing blanks.
    pub(super) fn write(&self, out: &mut String, colour: bool) {
        let end = self
            .cells
            .iter()
            .rposition(|(character, _)| *character != ' ')
            .map_or(0, |last| last + 1);
        let mut current = Ink::Plain;
        for &(character, ink) in self.cells.iter().take(end) {
            if colour && ink != current && character != ' ' {
                if current != Ink::Plain {
                    out.push_str("\x1b[0m");
                }
                out.push_str(ink.start());
                current = ink;
            }
            out.push(character);
        }
        if colour && current != Ink::Plain {
            out.push_str("\x1b[0m");
        }
    }

    fn set(&mut self, column: usize, character: char, ink: Ink) {
        if self.cells.len() <= column {
            self.cells.resize(column + 1, (' ', Ink::Plain));
        }
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = (character, ink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(row: &Row) -> String {
        let mut out = String::new();
        row.write(&mut out, false);
        out
    }

    #[test]
    fn an_arrow_points_at_the_receiver_and_crosses_lifelines() {
        let mut row = Row::new();
        for column in [0, 6, 12] {
            row.put(column, "│", Ink::Line);
        }
        row.put_arrow(0, 12, "", false);
        assert_eq!(text(&row), "├─────┼────▶│");
        let mut row = Row::new();
        row.put(0, "│", Ink::Line);
        row.put(8, "│", Ink::Line);
        row.put_arrow(8, 0, "", true);
        assert_eq!(text(&row), "│◀╌╌╌╌╌╌┤");
    }

    #[test]
    fn the_lifeline_leaves_a_box_in_its_middle() {
        let rows = [Part::Top, Part::Name, Part::Instance, Part::Bottom].map(|part| {
            let mut row = Row::new();
            row.put_box(6, part, "Jabber", "CSFrado");
            text(&row)
        });
        assert_eq!(
            rows,
            ["┌─────────┐", "│ Jabber  │", "│ CSFrado │", "└────┬────┘"]
                .map(|line| format!(" {line}"))
        );
    }

    #[test]
    fn no_escape_sequence_without_colour() {
        let mut row = Row::new();
        row.put(0, "✓", Ink::Good);
        assert_eq!(text(&row), "✓");
        let mut coloured = String::new();
        row.write(&mut coloured, true);
        assert_eq!(coloured, "\x1b[32m✓\x1b[0m");
    }
}
