//! Text of others made fit for a line: names of models come from whoever sends a request, error messages from
//! whatever answered.
//!
//! What moves the cursor, colours a terminal, hides itself or turns the direction of writing round is shown by its
//! number, `<U+001B>`, so that a line says what it seems to say (<https://www.unicode.org/reports/tr36/>).

use std::{borrow::Cow, fmt::Write as _};

/// The longest error message worth a line.
const LONGEST: usize = 500;
/// The longest text shown in full: a cap against a label of megabytes, far above any command.
const LONGEST_SHOWN: usize = 4000;

/// `text` on one line, cut after 500 characters.
pub fn one_line(text: &str) -> String {
    tame(text, LONGEST)
}

/// `text` on one line, cut after `limit` characters. Line breaks and tabs become spaces.
pub fn tame(text: &str, limit: usize) -> String {
    let mut characters = text.trim().chars();
    let mut line = String::with_capacity(text.len().min(limit));
    for c in characters.by_ref().take(limit) {
        match c {
            '\n' | '\r' | '\t' => line.push(' '),
            c => push(&mut line, c),
        }
    }
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

/// `text` as it is where it is fit for a line, blanks at its ends and all; a line break is no line break any more.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(misleads) && text.len() <= LONGEST_SHOWN {
        return text.into();
    }
    let mut characters = text.chars();
    let mut line = String::with_capacity(text.len().min(LONGEST_SHOWN) + 16);
    for c in characters.by_ref().take(LONGEST_SHOWN) {
        push(&mut line, c);
    }
    if characters.next().is_some() {
        line.push('…');
    }
    line.into()
}

/// How a line of a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Text for people.
    Plain,
    /// The same with colours in it: escape characters stay, so nobody else's may be left in it.
    Coloured,
    /// A document in JSON, in which such characters stand in strings only.
    Json,
}

/// A finished line of a log, its end included, with nothing in it that is no mark on the line.
pub fn log_line(line: &str, kind: LineKind) -> Cow<'_, str> {
    let misleads = |c: char| misleads(c) && !(c == '\u{1b}' && kind == LineKind::Coloured);
    let (inner, end) = match line.strip_suffix('\n') {
        Some(inner) => (inner, "\n"),
        None => (line, ""),
    };
    if !inner.chars().any(misleads) {
        return line.into();
    }
    let mut fit = String::with_capacity(line.len() + 16);
    for c in inner.chars() {
        match kind {
            _ if !misleads(c) => fit.push(c),
            LineKind::Json => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(fit, "\\u{unit:04x}");
                }
            }
            LineKind::Plain | LineKind::Coloured => push(&mut fit, c),
        }
    }
    fit.push_str(end);
    fit.into()
}

fn push(line: &mut String, c: char) {
    if misleads(c) {
        // Without a backslash: what is quoted with `{:?}` afterwards would double it.
        let _ = write!(line, "<U+{:04X}>", u32::from(c));
    } else {
        line.push(c);
    }
}

/// Whether a character is no mark on the line: controls, separators of lines, marks of direction, and what has no
/// width or is blank without being a space.
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{LineKind, log_line, one_line, tame, visible};

    #[test]
    fn a_line_of_a_log_is_one_line_whatever_is_in_it() {
        assert_eq!(log_line("a \u{1b}[31mb\n", LineKind::Coloured), "a \u{1b}[31mb\n");
        assert_eq!(
            log_line("a \u{1b}[2Jb\nINFO c\u{202e}\n", LineKind::Plain),
            "a <U+001B>[2Jb<U+000A>INFO c<U+202E>\n"
        );
        let json = "{\"a\":\"b".to_owned() + "\u{9b}2J\u{2028}\u{e0041}é\"}\n";
        let line = log_line(&json, LineKind::Json);
        assert_eq!(line, "{\"a\":\"b\\u009b2J\\u2028\\udb40\\udc41é\"}\n");
        let (before, after): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(&json).expect("JSON"),
            serde_json::from_str(&line).expect("JSON"),
        );
        assert_eq!(before, after, "it says the same");
    }

    #[test]
    fn text_of_others_stays_on_one_short_line() {
        assert_eq!(tame("  a\nb\u{1b}[31mc\0 ", 20), "a b<U+001B>[31mc<U+0000>");
        assert_eq!(tame("äöü", 2), "äö…");
        assert_eq!(tame("äöü", 3), "äöü");
        assert_eq!(tame("", 3), "");
        assert_eq!(one_line(&"x".repeat(501)).chars().count(), 501);
    }

    #[test]
    fn what_turns_writing_round_or_hides_is_shown() {
        assert_eq!(
            visible("a\u{202e}b\u{200b}c\u{2066}"),
            "a<U+202E>b<U+200B>c<U+2066>"
        );
        assert_eq!(visible("a\r\n\tb"), "a<U+000D><U+000A><U+0009>b");
        assert_eq!(visible("\u{9b}2J"), "<U+009B>2J");
    }

    #[test]
    fn what_is_fit_stays_as_it_is() {
        for text in [
            "  indented: yes",
            "日本語/モデル",
            "שלום",
            "meta/llama-3.1-8b",
            "",
        ] {
            assert_eq!(visible(text), text);
        }
        assert_eq!(visible(&"x".repeat(5000)).chars().count(), 4001);
    }
}
