//! Tables of documents that promise something, and the tests that hold it: what the one names the other has.

use std::collections::BTreeSet;

use crate::{servers::project, suite::Suite};

/// Holds the tables to the suite, which is complete. `faults` and `attacks` are the trials that must be in them.
pub fn register(suite: &mut Suite, faults: BTreeSet<String>, attacks: BTreeSet<String>) {
    let all: BTreeSet<String> = suite.names().collect();
    let known = all.clone();
    suite.plain("docs::fault_table", async move |_| {
        let table = Table::read("docs/reliability.md", "fault");
        assert!(table.rows.len() > 50, "{} rows", table.rows.len());
        let mut named = BTreeSet::new();
        for row in &table.rows {
            let [fault, _, tests, seen] = &row[..] else {
                panic!("four columns: {row:?}")
            };
            let tests = quoted(tests);
            assert_eq!(
                tests.is_empty(),
                seen.starts_with("not "),
                "{fault}: what no test holds is not said to hold"
            );
            named.extend(tests);
        }
        table.names_tests(&named, &known);
        table.names_all(&named, &faults);
    });
    suite.plain("docs::threat_table", async move |_| {
        let table = Table::read("docs/security.md", "what they can try");
        assert!(table.rows.len() > 40, "{} rows", table.rows.len());
        let mut named = BTreeSet::new();
        for row in &table.rows {
            let [attack, _, tests] = &row[..] else {
                panic!("three columns: {row:?}")
            };
            if tests.starts_with("open: ") {
                continue;
            }
            let tests = quoted(tests);
            assert!(
                !tests.is_empty(),
                "{attack}: neither a test, nor `open: ` with what to do"
            );
            named.extend(tests);
        }
        table.names_tests(&named, &all);
        table.names_all(&named, &attacks);
    });
}

/// All tables of a document whose heads begin with one word, as one.
struct Table {
    document: &'static str,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn read(document: &'static str, head: &str) -> Self {
        let text = std::fs::read_to_string(project(document)).expect("the document");
        let mut rows = Vec::new();
        let mut inside = false;
        for line in text.lines() {
            let Some(cells) = cells(line) else {
                inside = false;
                continue;
            };
            if cells[0] == head {
                inside = true;
            } else if inside && !cells[0].starts_with("--") {
                rows.push(cells);
            }
        }
        Self { document, rows }
    }

    /// Every name is that of a trial, or of a test in a file.
    fn names_tests(&self, named: &BTreeSet<&str>, trials: &BTreeSet<String>) {
        for name in named {
            assert!(
                trials.contains(*name) || is_test(name),
                "{} names no test: {name}",
                self.document
            );
        }
    }

    /// Every trial of a group has its line.
    fn names_all(&self, named: &BTreeSet<&str>, group: &BTreeSet<String>) {
        for trial in group {
            assert!(
                named.contains(trial.as_str()),
                "{} lacks a line for {trial}",
                self.document
            );
        }
    }
}

/// The cells of a row; a pipe within one stands behind a backslash.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?.replace("\\|", "\0");
    let cells = inner.split('|').map(|cell| cell.trim().replace('\0', "|"));
    Some(cells.collect())
}

/// What stands in backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Whether a test has this name: `FOLDER::FILE::FUNCTION` below `tests`, or the path of one in the library.
fn is_test(name: &str) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    let Some((function, module)) = parts.split_last() else {
        return false;
    };
    let inline = module.strip_suffix(&["tests"]).unwrap_or_default().join("/");
    let module = module.join("/");
    [
        format!("tests/{module}.rs"),
        format!("src/{module}.rs"),
        format!("src/{inline}.rs"),
        format!("src/{inline}/mod.rs"),
    ]
    .iter()
    .filter_map(|file| std::fs::read_to_string(project(file)).ok())
    .any(|text| text.contains(&format!("fn {function}(")))
}
