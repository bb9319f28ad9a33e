//! Lines to paste: commands and manifest lines in mends.

use std::borrow::Cow;

use crate::core::{Entry, ObjectName, VariantKey};

/// A word of a shell command, quoted where it must be: names in files are not checked by any API server.
///
/// What begins with a dash would be an option, quoted or not, and nothing in Kubernetes can be called so; it is shown as
/// other misleading characters are, so that the command fails and does nothing else.
pub(super) fn word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    // Some shells put the path of a command in place of a word that begins with an equals sign.
    if text.starts_with(|c: char| c != '-' && c != '=') && text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let (dash, text) = match text.strip_prefix('-') {
        Some(rest) => ("<U+002D>", rest),
        None => ("", text),
    };
    Cow::Owned(format!("'{dash}{}'", text.replace('\'', r"'\''")))
}

/// A scalar in a line of YAML, quoted where it must be: whatever is more than a name that no other type looks like.
pub(super) fn scalar(text: &str) -> Cow<'_, str> {
    let name = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let like_a_name = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(name);
    let like_a_type = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text));
    if like_a_name && !like_a_type {
        return Cow::Borrowed(text);
    }
    // A JSON string is a YAML scalar in double quotes.
    Cow::Owned(serde_json::Value::from(text).to_string())
}

/// `kubectl -n NAMESPACE ARGUMENTS`; the arguments as they are.
pub(super) fn kubectl(namespace: &str, arguments: &str) -> String {
    format!("kubectl -n {} {arguments}", word(namespace))
}

/// `kubectl -n NAMESPACE VERB KIND NAME REST`; the rest as it is.
pub(super) fn on(verb: &str, kind: &str, name: &ObjectName, rest: &str) -> String {
    let (kind, space) = (kind.to_lowercase(), if rest.is_empty() { "" } else { " " });
    kubectl(
        &name.namespace,
        &format!("{verb} {} {}{space}{rest}", word(&kind), word(&name.name)),
    )
}

/// Lets a variant have one more name for its model beside those that it has; `None` for what can be no name in a list.
pub(super) fn alias(variant: &VariantKey, entry: &Entry, name: &str) -> Option<String> {
    if name.is_empty() || name.trim() != name || name.contains(',') {
        return None;
    }
    let names: Vec<_> = entry
        .variant
        .aliases
        .iter()
        .map(|alias| &**alias)
        .chain([name])
        .collect();
    let annotation = format!("scale-from-zero/models={}", names.join(","));
    let rest = format!("--overwrite {}", word(&annotation));
    Some(on("annotate", variant.source.as_str(), &variant.name, &rest))
}

/// A span of time, for people: `1.5 s`, `2 min`, `250 ms`.
pub(super) fn seconds(seconds: f64) -> String {
    let digits = |value: f64| {
        let text = format!("{value:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if seconds < 1.0 && seconds > 0.0 {
        format!("{} ms", digits((seconds * 1000.0).round()))
    } else if seconds >= 120.0 {
        format!("{} min", digits((seconds / 6.0).round() / 10.0))
    } else {
        format!("{} s", digits(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_quoted_is() {
        assert_eq!(word("llm-epp.v1"), "llm-epp.v1");
        assert_eq!(word("a'; rm -rf ~; '"), r"'a'\''; rm -rf ~; '\'''");
        assert_eq!(word(""), "''");
        assert_eq!(word("=ls"), "'=ls'");
        assert_eq!(scalar("prod-a"), "prod-a");
        assert_eq!(scalar("true"), "\"true\"");
        assert_eq!(scalar("1"), "\"1\"");
        assert_eq!(scalar("a: b"), "\"a: b\"");
    }

    #[test]
    fn a_name_is_no_option() {
        assert_eq!(word("--kubeconfig=/tmp/x"), "'<U+002D>-kubeconfig=/tmp/x'");
        assert_eq!(
            on("describe", "Deployment", &ObjectName::new("-f", "-A"), ""),
            "kubectl -n '<U+002D>f' describe deployment '<U+002D>A'"
        );
    }

    /// What a shell makes of a line that is pasted: the words, and nothing run or written besides.
    #[cfg(unix)]
    #[test]
    fn a_shell_takes_a_word_for_a_word() {
        let dir = tempfile::tempdir().expect("a folder");
        for name in [
            "llama",
            "$(touch owned)",
            "`touch owned`",
            "'; touch owned; '",
            "\"; touch owned; \"",
            "a\ntouch owned\n",
            "\\'; touch owned #",
            "> owned",
            "& touch owned &",
            "a | tee owned",
            "${IFS}",
            "~",
            "*",
            "{a,b}",
            "!!",
            "",
        ] {
            for text in [name.to_owned(), format!("{{\"spec\":\"{name}\"}}")] {
                let line = on(
                    "describe",
                    "Deployment",
                    &ObjectName::new(&*text, &*text),
                    &word(&text),
                );
                let script = format!("kubectl() {{ printf '%s\\0' \"$@\"; }}\n{line}");
                let output = std::process::Command::new("sh")
                    .args(["-c", &script])
                    .current_dir(dir.path())
                    .output()
                    .expect("a shell");
                let said = String::from_utf8(output.stdout).expect("text");
                let words: Vec<_> = said.split_terminator('\0').collect();
                assert_eq!(
                    words,
                    ["-n", &text, "describe", "deployment", &text, &text],
                    "{line}"
                );
                assert!(output.stderr.is_empty(), "{line}");
            }
        }
        assert_eq!(std::fs::read_dir(dir.path()).expect("the folder").count(), 0);
    }

    #[test]
    fn times_are_short() {
        for (value, text) in [
            (0.25, "250 ms"),
            (5.05, "5.05 s"),
            (10.0, "10 s"),
            (60.0, "60 s"),
            (330.0, "5.5 min"),
            (0.0, "0 s"),
        ] {
            assert_eq!(seconds(value), text);
        }
    }
}
