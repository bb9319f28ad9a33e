use super::{End, Mark, Story, explain};
use crate::{
    check::{
        Facts,
        gather::{Wanted, files},
        judge,
    },
    config::Config,
};

const MANIFESTS: &str = include_str!("../../../tests/fixtures/guide-example.yaml");
const QUEUE: &str =
    "llm_d_epp_flow_control_queue_size{inference_pool=\"llama-pool\",model_name=\"meta/llama-3.1-8b\"} 3\n";
const FLOW_CONTROL: &str = "llm_d_epp_flow_control_pool_saturation{inference_pool=\"llama-pool\"} 1\n";

/// What stands in these files, in namespace `llm`.
fn facts(manifests: &str, samples: Option<&str>) -> Facts {
    let folder = tempfile::tempdir().unwrap();
    let objects = folder.path().join("objects.yaml");
    std::fs::write(&objects, manifests).unwrap();
    let samples = samples.map(|text| {
        let file = folder.path().join("samples.txt");
        std::fs::write(&file, text).unwrap();
        file
    });
    let wanted = Wanted {
        namespace: Some("llm".into()),
        name: None,
    };
    files(&Config::default(), &objects, samples.as_deref(), &wanted).unwrap()
}

fn told(facts: &Facts, model: &str) -> Story {
    let mut stories = explain(facts, &judge(facts), model, None);
    assert_eq!(stories.len(), 1);
    stories.remove(0)
}

#[test]
fn a_model_that_nobody_asks_for_wakes_as_soon_as_somebody_does() {
    let story = told(&facts(MANIFESTS, Some(FLOW_CONTROL)), "meta/llama-3.1-8b");
    assert_eq!(story.steps.len(), 9);
    assert_eq!(story.end, End::WhenAsked, "{story:#?}");
    assert_eq!(
        story.sentence,
        "It wakes as soon as a request waits for meta/llama-3.1-8b: llm/llama-8b-autoscaler."
    );
}

#[test]
fn a_model_that_is_asked_for_wakes_now() {
    let samples = format!("{FLOW_CONTROL}{QUEUE}");
    let story = told(&facts(MANIFESTS, Some(&samples)), "meta/llama-3.1-8b");
    assert_eq!(story.end, End::Now, "{story:#?}");
    let waits = &story.steps[1];
    assert_eq!(waits.mark, Mark::Ok);
    assert!(
        waits
            .evidence
            .iter()
            .any(|line| line.contains("model_name=\"meta/llama-3.1-8b\"") && line.contains("} is 3")),
        "{waits:#?}"
    );
}

#[test]
fn without_samples_it_is_not_claimed_that_it_wakes() {
    let story = told(&facts(MANIFESTS, None), "meta/llama-3.1-8b");
    assert_eq!(story.end, End::Unknown, "{story:#?}");
    assert_eq!(story.steps[3].mark, Mark::Unknown);
    assert!(story.sentence.contains("Not known: links"), "{}", story.sentence);
    let all: Vec<_> = story.steps.iter().flat_map(|step| &step.evidence).collect();
    assert!(
        !all.iter().any(|line| line.contains("no requests wait")),
        "{all:#?}"
    );
}

#[test]
fn what_keeps_it_from_waking_is_named_with_its_link() {
    let pods = MANIFESTS.replacen("        app: llama-8b\n", "        app: llama\n", 1);
    assert_ne!(pods, MANIFESTS);
    let story = told(&facts(&pods, Some(FLOW_CONTROL)), "meta/llama-3.1-8b");
    assert_eq!(story.end, End::Never, "{story:#?}");
    assert_eq!(story.steps[5].mark, Mark::Broken);
    assert!(story.sentence.contains("link 6 is broken"), "{}", story.sentence);
    assert!(!story.mend.is_empty(), "{story:#?}");
    assert!(
        story.sentence.starts_with("It cannot wake, because link "),
        "{}",
        story.sentence
    );

    let missing = MANIFESTS.replace("    name: llama-8b-deployment", "    name: llama-deployment");
    let story = told(&facts(&missing, Some(FLOW_CONTROL)), "meta/llama-3.1-8b");
    assert_eq!(story.end, End::Never, "{story:#?}");
    assert!(
        story.steps[5]
            .evidence
            .iter()
            .any(|line| line.contains("Deployment llm/llama-deployment is not among the files")),
        "{story:#?}"
    );
}

#[test]
fn flow_control_that_is_off_breaks_the_first_link() {
    let samples = "llm_d_epp_ready_endpoints{name=\"llama-pool\"} 0\n";
    let story = told(&facts(MANIFESTS, Some(samples)), "meta/llama-3.1-8b");
    assert_eq!(story.end, End::Never);
    assert_eq!(story.steps[0].mark, Mark::Broken, "{story:#?}");
    assert!(story.sentence.contains("link 1 is broken"), "{}", story.sentence);
}

#[test]
fn what_serves_needs_no_wake() {
    let serving = MANIFESTS.replace("  replicas: 0  # Start at zero", "  replicas: 1");
    let serving = serving.replacen("---\n", "status: {readyReplicas: 1}\n---\n", 1);
    let story = told(&facts(&serving, Some(FLOW_CONTROL)), "meta/llama-3.1-8b");
    assert_eq!(story.end, End::Up, "{story:#?}");
    assert_eq!(story.steps[7].mark, Mark::Ok);
    assert!(
        story.sentence.contains("llm/llama-8b-autoscaler is serving"),
        "{}",
        story.sentence
    );
}

#[test]
fn the_name_of_a_variant_means_its_model() {
    let facts = facts(MANIFESTS, None);
    for name in ["llama-8b-autoscaler", "llm/llama-8b-autoscaler"] {
        assert_eq!(told(&facts, name).model, "meta/llama-3.1-8b");
    }
}

#[test]
fn a_name_that_nothing_has_is_told_with_the_nearest() {
    let samples = format!(
        "{FLOW_CONTROL}{}",
        QUEUE.replace("meta/llama-3.1-8b", "Llama-3.1-8B")
    );
    let facts = facts(MANIFESTS, Some(&samples));
    let story = told(&facts, "Llama-3.1-8B");
    assert_eq!((story.end, story.namespace.as_deref()), (End::Never, None));
    assert_eq!(story.nearest, ["meta/llama-3.1-8b (llm/llama-8b-autoscaler)"]);
    let evidence = story.steps[0].evidence.join("\n");
    assert!(
        evidence.contains("3 requests wait for it at pool llama-pool"),
        "{evidence}"
    );
    assert_eq!(
        story.mend.last().unwrap(),
        "kubectl -n llm annotate variantautoscaling llama-8b-autoscaler --overwrite 'scale-from-zero/models=Llama-3.1-8B'"
    );
    let story = told(&facts, "nothing-like-it'; rm -rf ~; '");
    assert!(story.nearest.is_empty(), "{story:#?}");
    assert!(
        !story.mend.iter().any(|line| line.starts_with("kubectl")),
        "{story:#?}"
    );
}

#[test]
fn one_name_in_two_namespaces_is_two_stories() {
    let other = |namespace: &str| {
        MANIFESTS.replace(
            "metadata:\n  name:",
            &format!("metadata:\n  namespace: {namespace}\n  name:"),
        )
    };
    let both = format!("{}---\n{}", other("llm"), other("lab"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("objects.yaml");
    std::fs::write(&file, both).unwrap();
    let facts = files(&Config::default(), &file, None, &Wanted::default()).unwrap();
    let report = judge(&facts);
    let stories = explain(&facts, &report, "meta/llama-3.1-8b", None);
    let namespaces: Vec<_> = stories
        .iter()
        .filter_map(|story| story.namespace.as_deref())
        .collect();
    assert_eq!(namespaces, ["lab", "llm"]);
    assert_eq!(
        explain(&facts, &report, "meta/llama-3.1-8b", Some("lab")).len(),
        1
    );
}
