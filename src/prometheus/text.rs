//! Foreign text made fit for one line of a log.

/// `text` on one line, without control characters, cut after `limit` characters.
pub(super) fn tame(text: &str, limit: usize) -> String {
    let mut line = String::with_capacity(text.len().min(limit));
    let mut characters = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    line.extend(characters.by_ref().take(limit));
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {

    #[test]
    fn text_of_others_stays_on_one_short_line() {
        assert_eq!(super::tame("  a\nb\u{1b}[31mc\0 ", 20), "a b [31mc ");
        assert_eq!(super::tame("äöü", 2), "äö…");
        assert_eq!(super::tame("äöü", 3), "äöü");
        assert_eq!(super::tame("", 3), "");
    }
}
