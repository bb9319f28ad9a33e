//! Names that others choose, as labels.

use super::*;
use crate::core::Blocked;

fn held(model: &str) -> Held {
    Held {
        namespace: Some("llm".into()),
        pool: None,
        model: Some(model.into()),
        waiting: 1.0,
        why: Blocked::NoVariant,
        variant: None,
    }
}

/// The lines of `blocked`.
fn blocked(metrics: &Metrics) -> Vec<String> {
    let text = metrics.text().expect("text");
    let lines = text
        .lines()
        .filter(|line| line.starts_with("scale_from_zero_blocked{"));
    lines.map(str::to_owned).collect()
}

#[test]
fn however_many_names_are_asked_for_there_are_500_series() {
    let metrics = Metrics::new();
    // Other names each time, as who wants to fill a memory would send them.
    for round in 0..10 {
        let names: Vec<_> = (0..100_000).map(|n| held(&format!("{round}/{n}"))).collect();
        metrics.blocked(names.iter());
        assert_eq!(blocked(&metrics).len(), MOST_BLOCKED);
        let text = metrics.text().expect("text");
        assert!(
            text.contains("unmatched_demand_requests{reason=\"no_variant\"} 100000.0"),
            "the rest is counted"
        );
        assert!(text.len() < 200_000, "{}", text.len());
    }
    metrics.blocked(std::iter::empty());
    assert_eq!(blocked(&metrics), Vec::<String>::new());
}

#[test]
fn a_label_ends_neither_its_line_nor_its_quotes() {
    let metrics = Metrics::new();
    let names = [
        held("a\"} 1\nscale_from_zero_leader 9\nb{c=\""),
        held("d\\"),
        held(&"é".repeat(5000)),
    ];
    metrics.blocked(names.iter());
    let text = metrics.text().expect("text");
    assert!(!text.contains("\nscale_from_zero_leader 9"), "{text}");
    let mut lines = blocked(&metrics);
    lines.sort();
    let line = |model: &str| {
        format!("scale_from_zero_blocked{{namespace=\"llm\",model=\"{model}\",reason=\"no_variant\"}} 1")
    };
    assert_eq!(
        lines,
        [
            line(r#"a\"} 1\nscale_from_zero_leader 9\nb{c=\""#),
            line(r"d\\"),
            line(&"é".repeat(LONGEST_LABEL)),
        ]
    );
}
