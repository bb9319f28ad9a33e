//! The nearest of the names that exist, for one that does not.

/// The nearest name; `None` where more than every third character would have to change.
pub(super) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let steps = names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name));
    let (steps, name) = steps.min()?;
    (steps <= wanted.chars().count().div_ceil(3)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_is_what_a_slip_of_the_finger_makes() {
        let names = ["meta/llama-8b", "qwen/qwen-32b", "llm"];
        for (wanted, near) in [
            ("meta/lama-8b", Some("meta/llama-8b")),
            ("lml", Some("llm")),
            ("gpt", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, names), near, "{wanted:?}");
        }
    }
}
