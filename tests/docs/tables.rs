//! Tables of Markdown.

/// The cells of each row of the table with this head, in order.
///
/// # Panics
/// Where `text` has no such table.
pub fn rows(text: &str, head: &[&str]) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Option<Vec<String>> {
        let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        // A pipe within a cell stands behind a backslash.
        let inner = inner.replace("\\|", "\u{0}");
        Some(
            inner
                .split('|')
                .map(|cell| cell.trim().replace('\u{0}', "|"))
                .collect(),
        )
    };
    let mut lines = text
        .lines()
        .map(cells)
        .skip_while(|row| row.as_ref().is_none_or(|row| row != head));
    assert!(lines.next().is_some(), "there is no table {head:?}");
    lines.skip(1).map_while(|row| row).collect()
}

/// What stands in backquotes.
pub fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn rows_are_those_of_the_table_with_that_head() {
    let text = "| a |\n|---|\n| 1 |\n\n| a | b |\n|---|---|\n| `x`, `y` | p \\| q |\n| 2 | 3 |\nend\n";
    let found = rows(text, &["a", "b"]);
    assert_eq!(found, [["`x`, `y`", "p | q"], ["2", "3"]]);
    assert_eq!(quoted(&found[0][0]), ["x", "y"]);
}
