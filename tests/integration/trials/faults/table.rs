//! `docs/reliability.md` and the suite: what the one names the other has.

use std::collections::BTreeSet;

use crate::{servers::project, suite::Suite};

/// Holds the table to the suite. `faults` are the trials that must be in it.
pub fn register(suite: &mut Suite, faults: BTreeSet<String>) {
    const NAME: &str = "docs::fault_table";
    let all: BTreeSet<String> = suite.names().collect();
    suite.plain(NAME, async move |_| {
        let text = std::fs::read_to_string(project("docs/reliability.md")).expect("the table");
        let rows: Vec<Vec<&str>> = text.lines().filter_map(row).collect();
        assert!(rows.len() > 50, "{} rows", rows.len());
        let mut named = BTreeSet::new();
        for row in &rows {
            let [fault, _, tests, seen] = row[..] else {
                panic!("four columns: {row:?}")
            };
            let tests: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
            assert_eq!(
                tests.is_empty(),
                seen.starts_with("not "),
                "{fault}: what no test holds is not said to hold"
            );
            named.extend(tests);
        }
        for name in &named {
            assert!(
                all.contains(*name) || is_test(name),
                "docs/reliability.md names no test: {name}"
            );
        }
        for fault in &faults {
            assert!(
                named.contains(fault.as_str()),
                "docs/reliability.md lacks a line for {fault}"
            );
        }
    });
}

/// The cells of a row that is no head.
fn row(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix("| ")?.strip_suffix(" |")?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    (cells[0] != "fault").then_some(cells)
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
    ]
    .iter()
    .filter_map(|file| std::fs::read_to_string(project(file)).ok())
    .any(|text| text.contains(&format!("fn {function}(")))
}
