//! The text of the queries: demand and its age (rule 1) here, the slow one (rule 4) beside it. Pure:
//! configuration in, PromQL out.

use std::fmt::Write as _;

pub use super::signal::{flow_control, signal};
use crate::config::{Labels, Query};

/// The query whose rows are models with requests waiting; each value is a number of requests.
///
/// The family that comes first wins wherever an EPP exports several, so they are never added up.
/// `> 0` stands innermost, since one NaN or one negative would spoil a sum. `max` before `sum` makes
/// one of what two scrape jobs or a pair of replicas of Prometheus say about the same gauge: `pod` and
/// `instance` tell EPPs apart, `fairness_id` and `priority` the queues within one.
///
/// A custom `query.expression` is returned as it is.
pub fn demand(query: &Query) -> String {
    if let Some(expression) = &query.expression {
        return expression.clone();
    }
    let Labels {
        namespace,
        pool,
        model,
        target_model,
    } = &query.labels;
    let row = ["__name__", namespace, pool, target_model, model];
    let series = [
        "__name__",
        namespace,
        "pod",
        "instance",
        pool,
        target_model,
        model,
        "fairness_id",
        "priority",
    ];
    let families: Vec<_> = query
        .families
        .iter()
        .map(|family| selector(family, query))
        .collect();
    format!(
        "sum by ({}) (max by ({}) (({}) > 0))",
        grouping(&row),
        grouping(&series),
        families.join(" or ")
    )
}

/// The query for the age in seconds of the freshest sample behind each row of [`demand`], by
/// Prometheus' own clock; rows carry no `__name__`. `None` with a custom `query.expression`, whose
/// samples cannot be known.
///
/// `timestamp()` tells the time of a sample only where a plain selector is its argument (of
/// `timestamp(a or b)` it returns the time of the evaluation), so it is asked for each family. It drops
/// the name, as `and` and `or` ignore it; each `and` therefore joins a series with itself, and keeps it
/// only while its value is above 0. Where one EPP exports several families the first stands for all of
/// them: they come from one scrape.
pub fn age(query: &Query) -> Option<String> {
    if query.expression.is_some() {
        return None;
    }
    let Labels {
        namespace,
        pool,
        model,
        target_model,
    } = &query.labels;
    let families: Vec<_> = query
        .families
        .iter()
        .map(|family| {
            let selector = selector(family, query);
            format!("((time() - timestamp({selector})) and ({selector} > 0))")
        })
        .collect();
    Some(format!(
        "min by ({}) ({})",
        grouping(&[namespace, pool, target_model, model]),
        families.join(" or ")
    ))
}

/// `family{label="value",...}`. A family that cannot stand bare goes into the braces as `__name__`,
/// which every version of Prometheus reads.
pub(super) fn selector(family: &str, query: &Query) -> String {
    let bare = is_identifier(family, ":");
    let mut matchers = Vec::with_capacity(query.matchers.len() + 1);
    if !bare {
        matchers.push(format!("__name__={}", string(family)));
    }
    for (name, value) in &query.matchers {
        matchers.push(format!("{}={}", label(name), string(value)));
    }
    let head = if bare { family } else { "" };
    if matchers.is_empty() {
        head.to_owned()
    } else {
        format!("{head}{{{}}}", matchers.join(","))
    }
}

/// Label names, each once: two roles may be played by one label.
pub(super) fn grouping(names: &[&str]) -> String {
    let mut seen: Vec<&str> = Vec::with_capacity(names.len());
    for name in names {
        if !seen.contains(name) {
            seen.push(name);
        }
    }
    seen.into_iter().map(label).collect::<Vec<_>>().join(", ")
}

/// A label name, quoted as Prometheus 3 reads it where it holds more than older versions allow.
pub(super) fn label(name: &str) -> String {
    if is_identifier(name, "") {
        name.to_owned()
    } else {
        string(name)
    }
}

/// <https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels>
fn is_identifier(name: &str, extra: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || extra.contains(c);
    !name.is_empty() && name.chars().all(word) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// A PromQL string literal in double quotes, which takes the escapes of Go.
/// <https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals>
fn string(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('"');
    for c in value.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            // Only writing to a String, which does not fail.
            c if c.is_control() => drop(write!(literal, "\\u{:04x}", u32::from(c))),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
#[allow(
    clippy::field_reassign_with_default,
    reason = "what differs from the defaults stands out"
)]
mod tests {
    use super::*;
    use crate::config::Query;

    #[test]
    fn demand_of_both_families_is_the_query_of_rule_1() {
        assert_eq!(
            demand(&Query::default()),
            "sum by (__name__, namespace, inference_pool, target_model_name, model_name) \
             (max by (__name__, namespace, pod, instance, inference_pool, target_model_name, model_name, \
             fairness_id, priority) \
             ((llm_d_epp_flow_control_queue_size or inference_extension_flow_control_queue_size) > 0))"
        );
    }

    #[test]
    fn age_asks_each_family_by_itself() {
        assert_eq!(
            age(&Query::default()).unwrap(),
            "min by (namespace, inference_pool, target_model_name, model_name) (\
             ((time() - timestamp(llm_d_epp_flow_control_queue_size)) \
             and (llm_d_epp_flow_control_queue_size > 0)) or \
             ((time() - timestamp(inference_extension_flow_control_queue_size)) \
             and (inference_extension_flow_control_queue_size > 0)))"
        );
    }

    #[test]
    fn matchers_stand_in_every_selector() {
        let mut query = Query::default();
        query.families = vec!["a".into(), "b".into(), "c".into()];
        query.matchers = [("cluster".into(), "prod-a".into()), ("env".into(), "x".into())].into();
        let m = r#"{cluster="prod-a",env="x"}"#;
        assert!(
            demand(&query).contains(&format!("((a{m} or b{m} or c{m}) > 0)")),
            "{}",
            demand(&query)
        );
        assert_eq!(age(&query).unwrap().matches(m).count(), 6);
    }

    #[test]
    fn matcher_values_cannot_leave_their_string() {
        let mut query = Query::default();
        query.families = vec!["a".into()];
        query.matchers = [("c".into(), "x\"} or vector(1) or a{c=\"\\\n\r\t\u{7}é".into())].into();
        assert!(
            demand(&query).contains(r#"(a{c="x\"} or vector(1) or a{c=\"\\\n\r\t\u0007é"}) > 0"#),
            "{}",
            demand(&query)
        );
    }

    #[test]
    fn names_that_cannot_stand_bare_are_quoted() {
        let mut query = Query::default();
        query.families = vec!["queue.size".into(), "ns:queue:sum".into()];
        query.labels.pool = "inference.pool".into();
        query.matchers = [("k8s.cluster".into(), "a".into())].into();
        let text = demand(&query);
        assert!(
            text.contains(r#"({__name__="queue.size","k8s.cluster"="a"} or ns:queue:sum{"#),
            "{text}"
        );
        assert!(
            text.starts_with(r#"sum by (__name__, namespace, "inference.pool", "#),
            "{text}"
        );
    }

    #[test]
    fn one_label_in_two_roles_is_grouped_by_once() {
        let mut query = Query::default();
        query.labels.target_model = "model_name".into();
        assert!(
            age(&query)
                .unwrap()
                .starts_with("min by (namespace, inference_pool, model_name) (")
        );
    }

    #[test]
    fn a_custom_expression_is_sent_as_it_is_and_has_no_age() {
        let mut query = Query::default();
        query.expression = Some(" my:queue  > 0 ".into());
        assert_eq!(demand(&query), " my:queue  > 0 ");
        assert_eq!(age(&query), None);
    }
}
