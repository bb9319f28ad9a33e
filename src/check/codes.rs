//! The closed list of what can be wrong. docs/check.md has the same table; tests hold it to this one, and this one to the
//! probes.

/// Each code with its meaning.
pub const CODES: &[(&str, &str)] = &[
    // The configuration.
    (
        "custom_expression",
        "`query.expression` replaces the query, so ages and signals cannot be told",
    ),
    ("dry_run", "`dryRun: true`: nothing is woken, only told"),
    (
        "fallback_accelerator",
        "no accelerator can be told, so the status will name `status.fallbackAccelerator`",
    ),
    (
        "scope_namespace_missing",
        "`scope.namespaces` names a namespace that does not exist",
    ),
    (
        "tls_not_verified",
        "the certificate of Prometheus is not verified",
    ),
    // Permissions, and what the API has.
    ("no_pool_api", "the API has no InferencePools"),
    ("permission_missing", "the account may not do what a wake needs"),
    (
        "permission_missing_option",
        "the account may not do what an option or a report needs",
    ),
    // Prometheus.
    ("clock_skew", "the clock of Prometheus differs from ours"),
    ("prometheus_failing", "Prometheus gives no answer to go by"),
    (
        "prometheus_slow",
        "the query takes so long that it is asked less often",
    ),
    // The variant.
    ("cost_unreadable", "the cost is no number and counts as 10"),
    (
        "incomplete_set",
        "the variants of a model do not make a serving set",
    ),
    (
        "managed_without_model",
        "a ScaledObject or HPA is marked as managed and names no model",
    ),
    (
        "model_names_alike",
        "two variants name their model alike but for capitals or slashes",
    ),
    ("no_variants", "there is no variant"),
    (
        "out_of_scope_deleting",
        "the variant or its target is being deleted",
    ),
    (
        "out_of_scope_instance",
        "the variant belongs to another controller instance",
    ),
    ("out_of_scope_max_replicas", "`maxReplicas` is 0"),
    (
        "out_of_scope_namespace",
        "the namespace is none of `scope.namespaces`",
    ),
    (
        "out_of_scope_namespace_excluded",
        "the namespace is annotated to be left alone",
    ),
    (
        "out_of_scope_namespace_excluded_from_wva",
        "the namespace is annotated `wva.llmd.ai/exclude`",
    ),
    (
        "out_of_scope_outranked",
        "another object describes the same target and comes first",
    ),
    ("out_of_scope_paused", "a ScaledObject on the target is paused"),
    (
        "out_of_scope_pool_excluded",
        "the pool is annotated to be left alone",
    ),
    (
        "out_of_scope_target_excluded",
        "the target is annotated to be left alone",
    ),
    (
        "out_of_scope_variant_excluded",
        "the variant is annotated to be left alone",
    ),
    ("several_on_one_target", "several variants are on one target"),
    ("target_missing", "the target does not exist"),
    ("target_unreadable", "targets of this kind cannot be read"),
    ("target_unsupported", "the kind of the target cannot be woken"),
    ("target_without_template", "the target has no pod template"),
    (
        "unknown_role",
        "the label `llm-d.ai/role` says a word that is not known",
    ),
    ("variant_without_model", "a VariantAutoscaling names no model"),
    // The pool.
    ("models_share_pool", "two models are parked behind one pool"),
    ("no_pool", "no InferencePool selects the pods of the target"),
    ("pool_selects_nothing", "a pool selects no target"),
    // The endpoint picker.
    ("epp_config_invalid", "the EPP refuses its configuration"),
    (
        "epp_config_missing",
        "the configuration that the EPP is started with is missing",
    ),
    ("epp_no_pods", "the EPP's Service selects no pod"),
    ("epp_not_ready", "no pod of the EPP is ready"),
    (
        "epp_older_than_config",
        "the EPP runs since before its configuration was changed",
    ),
    (
        "epp_port_missing",
        "the EPP's Service lacks the port that the pool names",
    ),
    (
        "epp_service_missing",
        "the Service that the pool names does not exist",
    ),
    (
        "flow_control_not_configured",
        "flow control is not switched on in the EPP's configuration",
    ),
    ("pool_without_epp", "the pool names no endpoint picker"),
    (
        "queue_ttl_short",
        "requests wait for less time than the model takes to start",
    ),
    // The scrape.
    ("epp_not_scraped", "Prometheus has nothing of the EPP"),
    (
        "epp_without_monitor",
        "no monitor among the files selects the EPP",
    ),
    ("flow_control_off", "the EPP is scraped and exports no queue"),
    (
        "many_models",
        "the EPP is near the number of model names that it tells apart",
    ),
    (
        "namespace_differs",
        "the queue is seen in a namespace without such a pool",
    ),
    ("namespace_label_missing", "the queue's series have no namespace"),
    ("pool_label_missing", "the queue's series name no pool"),
    (
        "scrape_interval_slow",
        "the EPP is scraped so seldom that wakes wait for it",
    ),
    (
        "scrape_timeout_long",
        "the monitor's `scrapeTimeout` is above its interval",
    ),
    (
        "several_clusters",
        "series of one pool come from several clusters or tenants",
    ),
    ("stale_samples", "the queue's samples are too old"),
    // Requests waiting.
    (
        "ambiguous_namespace",
        "requests name no namespace, and several would answer",
    ),
    (
        "label_overflow",
        "requests wait for `other`: the EPP tells names apart no more",
    ),
    (
        "name_differs_by_case",
        "requests wait for a model that a variant writes in other capitals",
    ),
    ("no_variant", "requests wait for a model that no variant has"),
    (
        "other_pool",
        "requests wait at another pool than the target is behind",
    ),
    ("stale_demand", "requests wait, by a sample that is too old"),
    ("unnamed_demand", "requests wait that name no model"),
    (
        "wrong_namespace",
        "requests wait in another namespace than the variant's",
    ),
    // The wake.
    ("capped", "as many targets are starting as may"),
    ("not_progressing", "the target does not progress"),
    ("overdue", "what was woken does not become ready"),
    ("pods_failing", "the pods of the target do not start"),
    (
        "replica_failure",
        "quota or admission refuse the pods of the target",
    ),
    ("unschedulable", "no node takes the pods of the target"),
    ("wake_failed", "the write of a wake fails"),
    // Who takes it back, or wakes as well.
    ("gitops_may_take_back", "a GitOps tool may put the replicas back"),
    ("hpa_takes_back", "an HPA may scale the target back to 0"),
    ("keda_takes_back", "KEDA may scale the target back to 0"),
    (
        "keda_too_old_for_guard",
        "KEDA does not know the annotation of `wake.guard`",
    ),
    ("manual", "a person scaled the target back to 0"),
    (
        "status_disabled",
        "`status.enabled: false`, so WVA goes on asking for 0",
    ),
    ("taken_back", "something scaled the target back to 0"),
    ("wva_engine_active", "WVA's own engine wakes as well"),
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::CODES;
    use crate::core::{Blocked, Failure, Gone, OutOfScope};

    const DOCUMENT: &str = include_str!("../../docs/check.md");

    /// Words in the probes' source that look like codes and are names of metrics, labels and their like.
    const OTHER_WORDS: [&str; 6] = [
        "exported_namespace",
        "inference_pool_ready_pods",
        "kubernetes_namespace",
        "llm_d_epp_ready_endpoints",
        "pod_namespace",
        "wva_desired_replicas",
    ];

    /// The words that probes pass on from the decision.
    fn of_the_decision() -> BTreeSet<&'static str> {
        let blocked = [
            Blocked::NoVariant,
            Blocked::WrongNamespace("".into()),
            Blocked::NameDiffersByCase("".into()),
            Blocked::OtherPool("".into()),
            Blocked::NoPool,
            Blocked::Target(Gone::Missing),
            Blocked::Target(Gone::Unreadable),
            Blocked::Target(Gone::Unsupported),
            Blocked::Target(Gone::NoTemplate),
            Blocked::LabelOverflow,
            Blocked::UnnamedDemand,
            Blocked::AmbiguousNamespace,
            Blocked::StaleDemand,
            Blocked::WakeFailed(Failure::Forbidden),
            Blocked::TakenBack(None),
            Blocked::UnknownRole("".into()),
            Blocked::Incomplete,
            Blocked::Capped,
        ];
        let blocked = blocked.iter().map(Blocked::as_str);
        // These two hold more than a test needs to make.
        blocked
            .chain(["manual", "overdue"])
            .chain(OutOfScope::ALL.map(OutOfScope::as_str))
            .collect()
    }

    /// The string literals of the probes, without their tests.
    fn literals(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                if name != "tests" {
                    literals(&path, found);
                }
            } else if !["tests.rs", "given.rs", "odd.rs"].contains(&&*name) {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                found.extend(code.split('"').skip(1).map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_code_of_the_probes_is_listed_and_no_other() {
        let mut found = BTreeSet::new();
        let probes = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check/probes");
        literals(&probes, &mut found);
        let decision = of_the_decision();
        let codes: BTreeSet<_> = CODES.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes.len(), CODES.len(), "each once");
        for code in &codes {
            assert!(
                found.contains(*code) || decision.contains(code),
                "{code} is in CODES, and no probe says it"
            );
        }
        let is_word = |text: &&String| {
            text.contains('_')
                && !text.starts_with('_')
                && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        };
        for word in found.iter().filter(is_word) {
            assert!(
                codes.contains(&**word) || OTHER_WORDS.contains(&&**word),
                "{word} is said by a probe: if it is a code, put it into CODES and docs/check.md, else into OTHER_WORDS"
            );
        }
        for word in decision {
            assert!(codes.contains(word), "{word} may be passed on by a probe");
        }
    }

    #[test]
    fn the_document_has_the_same_codes() {
        let section = DOCUMENT.split("## Codes").nth(1).expect("a section of codes");
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        let rows = rows.map(|row| {
            let (code, meaning) = row.split_once("` | ").expect("a code and its meaning");
            (code, meaning.trim_end_matches(" |"))
        });
        assert_eq!(rows.collect::<Vec<_>>(), CODES);
    }
}
