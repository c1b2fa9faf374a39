//! The one SQL statement people type on the console and send by AXL:
//! `select <columns> from <table> [where <column> = '<value>']`.

use std::fmt;

/// A table as it stands now.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [&'static str],
    pub(super) rows: Vec<Vec<String>>,
}

/// What a statement selected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Why a statement selects nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SqlError {
    /// Not of the form this lab reads.
    Statement,
    /// No such table.
    Table(String),
    /// No such column.
    Column(String),
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Statement => {
                f.write_str("A syntax error has occurred: expected select <columns> from <table> [where <column> = '<value>']")
            }
            Self::Table(name) => write!(f, "The specified table ({name}) is not in the database."),
            Self::Column(name) => write!(f, "Column ({name}) not found in any table in the query."),
        }
    }
}

/// Runs `statement` over `tables`.
///
/// # Errors
///
/// [`SqlError`]; names are compared without regard to case, values exactly.
pub(super) fn select(statement: &str, tables: &[Table]) -> Result<Selection, SqlError> {
    let mut words = Words {
        rest: statement.trim().trim_end_matches(';'),
    };
    words.keyword("select")?;
    let mut wanted = Vec::new();
    let table = loop {
        let word = words.next().ok_or(SqlError::Statement)?;
        if word.eq_ignore_ascii_case("from") {
            let name = words.next().ok_or(SqlError::Statement)?;
            break tables
                .iter()
                .find(|table| table.name.eq_ignore_ascii_case(name))
                .ok_or_else(|| SqlError::Table(name.to_owned()))?;
        }
        wanted.push(word);
    };
    let condition = match words.next() {
        None => None,
        Some(word) if word.eq_ignore_ascii_case("where") => {
            let column = words.next().ok_or(SqlError::Statement)?;
            words.keyword("=")?;
            let value = words.next().and_then(unquoted).ok_or(SqlError::Statement)?;
            Some((table.column(column)?, value))
        }
        Some(_) => return Err(SqlError::Statement),
    };
    if words.next().is_some() || wanted.is_empty() {
        return Err(SqlError::Statement);
    }
    let columns: Vec<usize> = if wanted == ["*"] {
        (0..table.columns.len()).collect()
    } else {
        wanted
            .into_iter()
            .map(|name| table.column(name))
            .collect::<Result<_, _>>()?
    };
    let matching = table.rows.iter().filter(|row| {
        condition.is_none_or(|(column, value)| row.get(column).is_some_and(|cell| cell == value))
    });
    Ok(Selection {
        columns: columns
            .iter()
            .filter_map(|&column| table.columns.get(column).copied())
            .collect(),
        rows: matching
            .map(|row| {
                columns
                    .iter()
                    .filter_map(|&column| row.get(column).cloned())
                    .collect()
            })
            .collect(),
    })
}

impl Table {
    fn column(&self, name: &str) -> Result<usize, SqlError> {
        self.columns
            .iter()
            .position(|column| column.eq_ignore_ascii_case(name))
            .ok_or_else(|| SqlError::Column(name.to_owned()))
    }
}

impl Selection {
    /// As the console prints it: a row of names, a row of `=`, the rows. Widths are ours.
    pub(super) fn lines(&self) -> Vec<String> {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let cells = self
                    .rows
                    .iter()
                    .filter_map(|row| row.get(index))
                    .map(|cell| cell.chars().count());
                cells.chain([name.chars().count()]).max().unwrap_or(0)
            })
            .collect();
        let line = |cells: &mut dyn Iterator<Item = String>| {
            let padded: Vec<String> = cells
                .zip(&widths)
                .map(|(cell, &width)| format!("{cell:<width$}"))
                .collect();
            padded.join("  ").trim_end().to_owned()
        };
        let mut lines = vec![
            line(&mut self.columns.iter().map(|name| (*name).to_owned())),
            line(&mut widths.iter().map(|&width| "=".repeat(width))),
        ];
        lines.extend(self.rows.iter().map(|row| line(&mut row.iter().cloned())));
        if self.rows.is_empty() {
            lines.push("No records found".to_owned());
        }
        lines
    }
}

fn unquoted(word: &str) -> Option<&str> {
    word.strip_prefix('\'')?.strip_suffix('\'')
}

/// Words, quoted strings, and `=` by itself; commas separate.
struct Words<'a> {
    rest: &'a str,
}

impl Words<'_> {
    fn keyword(&mut self, expected: &str) -> Result<(), SqlError> {
        match self.next() {
            Some(word) if word.eq_ignore_ascii_case(expected) => Ok(()),
            _ => Err(SqlError::Statement),
        }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self
            .rest
            .trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let end = match text.chars().next()? {
            '=' => 1,
            '\'' => text.get(1..)?.find('\'').map_or(text.len(), |end| end + 2),
            _ => text
                .find(|c: char| c.is_whitespace() || matches!(c, ',' | '=' | '\''))
                .unwrap_or(text.len()),
        };
        let (word, rest) = text.split_at_checked(end)?;
        self.rest = rest;
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables() -> Vec<Table> {
        vec![Table {
            name: "processconfig",
            columns: &["paramname", "paramvalue"],
            rows: vec![
                vec!["ClusterSIPOAuthMode".to_owned(), "1".to_owned()],
                vec!["ClusterSecurityMode".to_owned(), "0".to_owned()],
            ],
        }]
    }

    #[test]
    fn the_documented_statement_reads_the_mode() {
        let statement =
            "select paramvalue FROM processconfig WHERE paramname = 'ClusterSIPOAuthMode'";
        let selection = select(statement, &tables()).unwrap();
        assert_eq!(selection.columns, ["paramvalue"]);
        assert_eq!(selection.rows, [["1"]]);
        assert_eq!(selection.lines(), ["paramvalue", "==========", "1"]);
    }

    #[test]
    fn a_star_selects_every_column_and_an_empty_table_says_so() {
        let mut tables = tables();
        assert_eq!(
            select("select * from PROCESSCONFIG", &tables)
                .unwrap()
                .rows
                .len(),
            2
        );
        tables[0].rows.clear();
        let lines = select("select * from processconfig;", &tables)
            .unwrap()
            .lines();
        assert_eq!(lines.last().unwrap(), "No records found");
    }

    #[test]
    fn what_is_not_a_selection_is_refused_by_name() {
        for (statement, error) in [
            ("drop table processconfig", SqlError::Statement),
            ("select", SqlError::Statement),
            ("select from processconfig", SqlError::Statement),
            (
                "select * from processconfig where paramname",
                SqlError::Statement,
            ),
            (
                "select * from processconfig where paramname = x",
                SqlError::Statement,
            ),
            (
                "select * from processconfig order by paramname",
                SqlError::Statement,
            ),
            ("select * from device", SqlError::Table("device".to_owned())),
            (
                "select nothing from processconfig",
                SqlError::Column("nothing".to_owned()),
            ),
        ] {
            assert_eq!(select(statement, &tables()), Err(error), "{statement}");
        }
    }
}
