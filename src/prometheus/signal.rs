//! The slow query of rule 4: what EPPs export even while nobody waits, and its rows to [`Seen`].

use super::query::{grouping, label, selector};
use crate::{
    config::{Labels, Query},
    core::{Sample, Seen, Sign},
};

/// Endpoints of a pool, by llm-d-router 0.9 and newer. It keeps the pool in [`POOL`].
const ENDPOINTS: &str = "llm_d_epp_ready_endpoints";
/// The same under its old name: gateway-api-inference-extension, and llm-d-router until September 2026.
const OLD_ENDPOINTS: &str = "inference_pool_ready_pods";
/// The label of both. Unlike the queue's it is no configuration: nobody relabels what only we ask for.
const POOL: &str = "name";
/// Both, the stronger sign first.
pub(super) const POOL_NAMED: [&str; 2] = [ENDPOINTS, OLD_ENDPOINTS];
/// Set at the start of the process, without a pool: <https://github.com/llm-d/llm-d-router/blob/main/docs/metrics.md>.
pub(super) const INFOS: [&str; 2] = ["llm_d_epp_info", "inference_extension_info"];
/// The saturation that flow control dispatches by; each EPP has one or both.
const SATURATIONS: [&str; 2] = [
    "llm_d_epp_flow_control_pool_saturation",
    "inference_extension_flow_control_pool_saturation",
];

/// The query whose rows say of each (namespace, pool) what its EPP exports, whatever the values. `None` with a
/// custom `query.expression`: whether its queues are there at all only its author knows.
///
/// Each family is grouped by itself before `or` sees it, which compares a few hundred rows then. With 500 pools
/// and 11,000 series that takes as long as one selector with a regular expression, 40 ms on Prometheus 2.42, and
/// yields a third of the rows, since `or` ignores the name of the metric: the first sign of an EPP shadows
/// weaker ones. An EPP that names a pool is no [`Sign::Other`]; EPPs are told apart by `pod` and `instance`.
pub fn signal(query: &Query) -> Option<String> {
    if query.expression.is_some() {
        return None;
    }
    let Labels { namespace, pool, .. } = &query.labels;
    let by = grouping(&["__name__", namespace, pool, POOL]);
    let mut groups: Vec<_> = families(query)
        .iter()
        .map(|family| format!("group by ({by}) ({})", selector(family, query)))
        .collect();
    let epp = grouping(&[namespace, "pod", "instance"]);
    let (new, old) = (selector(ENDPOINTS, query), selector(OLD_ENDPOINTS, query));
    groups.extend(INFOS.map(|info| {
        format!(
            "group by ({}) ({} unless on ({epp}) {new} unless on ({epp}) {old})",
            label(namespace),
            selector(info, query)
        )
    }));
    Some(groups.join(" or "))
}

/// The families of [`signal`] that are grouped by pool, the strongest sign first.
pub(super) fn families(query: &Query) -> Vec<String> {
    let mut families = flow_control(query);
    families.extend(POOL_NAMED.map(str::to_owned));
    families
}

/// The families that only an EPP with flow control exports, each once.
pub fn flow_control(query: &Query) -> Vec<String> {
    let derived = query
        .families
        .iter()
        .filter_map(|family| Some(format!("{}pool_saturation", family.strip_suffix("queue_size")?)));
    let mut families: Vec<String> = Vec::new();
    for family in derived
        .chain(SATURATIONS.map(str::to_owned))
        .chain(query.families.iter().cloned())
    {
        if !families.contains(&family) {
            families.push(family);
        }
    }
    families
}

/// The labels of rows of [`signal`], so that [`seen`] finds in `model` the pool where endpoints name it.
pub(super) fn labels(query: &Labels) -> Labels {
    Labels {
        model: POOL.to_owned(),
        target_model: POOL.to_owned(),
        ..query.clone()
    }
}

/// What a row says, decoded with [`labels`].
///
/// Rows of [`Sign::Other`] alone have no name; where something on the way drops the names of all, the label
/// still tells flow control from the rest, and the rest is taken for the weakest.
pub(super) fn seen(row: Sample) -> Seen {
    let Sample {
        family,
        namespace,
        pool,
        model: name,
        ..
    } = row;
    let (what, pool) = match family.as_deref() {
        Some(ENDPOINTS) => (Sign::Endpoints, name),
        Some(OLD_ENDPOINTS) => (Sign::OldEndpoints, name),
        Some(_) => (Sign::FlowControl, pool),
        None if name.is_some() => (Sign::OldEndpoints, name),
        None if pool.is_some() => (Sign::FlowControl, pool),
        None => (Sign::Other, None),
    };
    Seen {
        namespace,
        pool,
        what,
    }
}

#[cfg(test)]
#[allow(
    clippy::field_reassign_with_default,
    reason = "what differs from the defaults stands out"
)]
mod tests {
    use super::*;

    #[test]
    fn the_default_query_asks_for_every_sign_once() {
        let by = "group by (__name__, namespace, inference_pool, name)";
        let epp = "unless on (namespace, pod, instance)";
        let names = format!("{epp} llm_d_epp_ready_endpoints {epp} inference_pool_ready_pods");
        assert_eq!(
            signal(&Query::default()).unwrap(),
            format!(
                "{by} (llm_d_epp_flow_control_pool_saturation) or \
                 {by} (inference_extension_flow_control_pool_saturation) or \
                 {by} (llm_d_epp_flow_control_queue_size) or \
                 {by} (inference_extension_flow_control_queue_size) or \
                 {by} (llm_d_epp_ready_endpoints) or \
                 {by} (inference_pool_ready_pods) or \
                 group by (namespace) (llm_d_epp_info {names}) or \
                 group by (namespace) (inference_extension_info {names})"
            )
        );
    }

    #[test]
    fn matchers_stand_in_every_selector() {
        let mut query = Query::default();
        query.matchers = [("cluster".into(), "prod\"a".into())].into();
        let text = signal(&query).unwrap();
        assert_eq!(text.matches(r#"{cluster="prod\"a"}"#).count(), 12, "{text}");
    }

    #[test]
    fn saturation_is_looked_for_beside_each_queue() {
        let mut query = Query::default();
        query.families = vec!["my_queue_size".into(), "queue.size".into()];
        assert_eq!(
            flow_control(&query),
            [
                "my_pool_saturation",
                "llm_d_epp_flow_control_pool_saturation",
                "inference_extension_flow_control_pool_saturation",
                "my_queue_size",
                "queue.size",
            ]
        );
        let text = signal(&query).unwrap();
        assert!(text.contains(r#"({__name__="queue.size"})"#), "{text}");
    }

    #[test]
    fn labels_are_called_as_configured() {
        let mut query = Query::default();
        query.labels.namespace = "k8s.ns".into();
        query.labels.pool = POOL.into();
        let text = signal(&query).unwrap();
        assert!(
            text.starts_with(r#"group by (__name__, "k8s.ns", name) ("#),
            "{text}"
        );
        assert!(
            text.contains(r#"unless on ("k8s.ns", pod, instance)"#) && text.contains(r#"by ("k8s.ns") ("#),
            "{text}"
        );
    }

    #[test]
    fn a_custom_expression_has_no_signal() {
        let mut query = Query::default();
        query.expression = Some("my_queue > 0".into());
        assert_eq!(signal(&query), None);
    }

    #[test]
    fn a_row_is_what_its_name_says() {
        let row = |family: Option<&str>, pool: Option<&str>, name: Option<&str>| {
            let text = |text: Option<&str>| text.map(Into::into);
            let seen = seen(Sample {
                family: text(family),
                namespace: Some("team".into()),
                pool: text(pool),
                model: text(name),
                target_model: text(name),
                value: f64::NAN,
            });
            assert_eq!(seen.namespace.as_deref(), Some("team"));
            (seen.what, seen.pool.map(String::from))
        };
        let p = || Some("p".to_owned());
        for (family, pool, name, expected) in [
            (Some(SATURATIONS[1]), Some("p"), None, (Sign::FlowControl, p())),
            (Some("my:queue"), Some("p"), None, (Sign::FlowControl, p())),
            (Some("my:queue"), None, None, (Sign::FlowControl, None)),
            (Some(ENDPOINTS), None, Some("p"), (Sign::Endpoints, p())),
            (Some(OLD_ENDPOINTS), None, Some("p"), (Sign::OldEndpoints, p())),
            (None, None, None, (Sign::Other, None)),
            (None, Some("p"), None, (Sign::FlowControl, p())),
            (None, None, Some("p"), (Sign::OldEndpoints, p())),
        ] {
            assert_eq!(row(family, pool, name), expected, "{family:?} {pool:?} {name:?}");
        }
    }
}
