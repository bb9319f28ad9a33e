use std::fs;

use super::*;
use crate::core::{ObjectName, Observed, VariantKey};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn gather(&self, wanted: &Wanted) -> Result<Facts, GatherError> {
        files(&Config::default(), self.0.path(), None, wanted)
    }

    fn facts(&self) -> Facts {
        self.gather(&Wanted::default()).unwrap()
    }

    fn error(&self) -> String {
        self.gather(&Wanted::default()).unwrap_err().to_string()
    }
}

fn in_namespace(namespace: &str) -> Wanted {
    Wanted {
        namespace: Some(namespace.into()),
        name: None,
    }
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: llama
  managedFields: [{manager: x}]
spec:
  replicas: 0
  template:
    metadata:
      labels: {app: llama}
";
const VARIANT: &str = "apiVersion: llmd.ai/v1alpha1
kind: VariantAutoscaling
metadata:
  name: llama
spec:
  modelID: meta/llama
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: llama}
";
const POOL: &str = "apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata:
  name: pool
spec:
  selector:
    matchLabels: {app: llama}
  endpointPickerRef: {name: epp}
";

fn names(facts: &Facts) -> Vec<String> {
    facts.objects.iter().map(Object::named).collect()
}

#[test]
fn the_inventory_is_that_of_a_cluster_with_these_objects() {
    let folder = Folder::new(&[
        ("a/target.yaml", DEPLOYMENT),
        ("b.yml", &format!("---\n{VARIANT}---\n\n---\n{POOL}")),
    ]);
    let facts = folder.gather(&in_namespace("llm")).unwrap();
    let name = VariantKey::autoscaling(ObjectName::new("llm", "llama"));
    let entry = facts.inventory.entry(&name).unwrap();
    assert!(matches!(entry.observed, Ok(Observed::Zero(_))), "{entry:?}");
    assert_eq!(&*entry.pools[0], "pool");
    assert!(entry.is_inactive());
    let target = facts.objects.get("apps", "Deployment", "llm", "llama").unwrap();
    assert!(target.at("/metadata/managedFields").is_none());
    assert_eq!(target.text("/metadata/namespace"), Some("llm"));
    let pool = facts
        .objects
        .all("inference.networking.k8s.io", "InferencePool")
        .next()
        .unwrap();
    assert!(
        pool.place.as_ref().unwrap().ends_with("b.yml, document 3"),
        "{:?}",
        pool.place
    );
    assert_eq!(facts.unread[0].kind, "Pod");
    assert!(facts.prometheus.demand.is_none() && facts.access.is_empty());
}

#[test]
fn lists_are_unpacked() {
    let list = r#"{"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "n"}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}]}"#;
    let folder = Folder::new(&[
        ("list.json", list),
        (
            "of-one-kind.yaml",
            "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: p}\n",
        ),
    ]);
    let facts = folder.facts();
    assert_eq!(names(&facts), ["Namespace n", "Pod default/p", "Service n/a"]);
    let place = facts
        .objects
        .get("", "Pod", "default", "p")
        .unwrap()
        .place
        .clone()
        .unwrap();
    assert!(place.ends_with("of-one-kind.yaml, item 1"), "{place}");
    assert!(facts.unread.is_empty(), "pods are there");
}

#[test]
fn anchors_and_merges_are_as_kubectl_has_them() {
    let text =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a: &a {x: y}\n  b: {<<: *a, 80: z}\n";
    let facts = Folder::new(&[("c.yaml", text)]).facts();
    let map = facts.objects.get("", "ConfigMap", "default", "c").unwrap();
    assert_eq!(
        (map.text("/data/b/x"), map.text("/data/b/80")),
        (Some("y"), Some("z"))
    );
}

#[test]
fn what_is_no_object_is_left_out() {
    let folder = Folder::new(&[
        ("d.yaml", DEPLOYMENT),
        ("values.yaml", "image: x\n"),
        ("empty.yaml", "# nothing\n"),
        ("patch.yaml", "- op: add\n  path: /a\n"),
        (
            "kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [d.yaml]\n",
        ),
        (
            "epp.yaml",
            "apiVersion: inference.networking.x-k8s.io/v1alpha1\nkind: EndpointPickerConfig\n",
        ),
        (".hidden/x.yaml", "}{"),
        (".hidden.yaml", "}{"),
        ("readme.md", "}{"),
    ]);
    assert_eq!(names(&folder.facts()), ["Deployment default/llama"]);
}

#[test]
fn only_the_wanted_namespace_and_who_scrapes_it_are_looked_at() {
    let elsewhere = |text: &str| text.replace("  name:", "  namespace: other\n  name:");
    let monitor =
        "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: m, namespace: mon}\n";
    let folder = Folder::new(&[
        ("a.yaml", DEPLOYMENT),
        ("b.yaml", &elsewhere(DEPLOYMENT)),
        ("c.yaml", monitor),
    ]);
    let facts = folder.gather(&in_namespace("llm")).unwrap();
    assert_eq!(names(&facts), ["Deployment llm/llama", "ServiceMonitor mon/m"]);
    assert_eq!(
        folder.facts().objects.namespaces(),
        ["default", "mon", "other"].into()
    );
}

#[test]
fn targets_of_any_kind_count_but_those_without_a_scale() {
    let of = |kind: &str, version: &str| {
        let target = DEPLOYMENT.replace("Deployment", kind).replace("apps/v1", version);
        let variant = VARIANT
            .replace("kind: Deployment", &format!("kind: {kind}"))
            .replace("apps/v1", version);
        Folder::new(&[("a.yaml", &target), ("b.yaml", &variant), ("c.yaml", POOL)])
            .facts()
            .inventory
            .entries()
            .next()
            .map(|(_, entry)| entry.is_inactive())
    };
    assert_eq!(of("LeaderWorkerSet", "leaderworkerset.x-k8s.io/v1"), Some(true));
    assert_eq!(of("Gizmo", "example.com/v1"), Some(true));
    assert_eq!(of("DaemonSet", "apps/v1"), Some(false));
}

#[test]
fn an_object_may_stand_there_twice_only_if_it_is_the_same() {
    let folder = Folder::new(&[("a.yaml", DEPLOYMENT), ("b.yaml", DEPLOYMENT)]);
    assert_eq!(names(&folder.facts()).len(), 1);
    folder.write("b.yaml", &DEPLOYMENT.replace("replicas: 0", "replicas: 1"));
    let error = folder.error();
    for part in ["b.yaml: Deployment default/llama", "a.yaml", "kubectl kustomize"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn what_cannot_be_understood_is_named_with_its_place_and_mend() {
    for (name, text, told) in [
        (
            "t.yaml",
            "kind: X\nmetadata:\n  name: {{ .Values.name }}\n",
            "t.yaml, line 3",
        ),
        (
            "t.yaml",
            "kind: X\nmetadata:\n  name: {{ .Values.name }}\n",
            "helm template RELEASE CHART",
        ),
        (
            "t.yaml",
            &DEPLOYMENT.replace("name: llama", "name: \"{{ .Release.Name }}-x\""),
            "helm template",
        ),
        (
            "d.yaml",
            &DEPLOYMENT.replace("spec:", "spec: {}\nspec:"),
            "stands twice",
        ),
        ("a.yaml", "a: &a [x, x, x, x, x, x, x, x, x]\nb: *c\n", "a.yaml"),
        ("deep.yaml", &"[".repeat(1000), "more than 500 deep"),
        ("j.json", "{\"kind\": }", "j.json: is not JSON"),
        ("tag.yaml", "kind: !secret x\n", "a tag"),
        ("v.yaml", "a: 1\n", "no object of Kubernetes"),
    ] {
        let error = Folder::new(&[(name, text)]).error();
        assert!(error.contains(told), "{told}: {error}");
    }
    let folder = Folder::new(&[]);
    fs::write(folder.0.path().join("x.yaml"), b"\xff\xfe").unwrap();
    assert!(folder.error().contains("UTF-8"), "{}", folder.error());
    let missing = files(
        &Config::default(),
        Path::new("/nowhere/at/all"),
        None,
        &Wanted::default(),
    );
    assert!(
        missing
            .unwrap_err()
            .to_string()
            .starts_with("/nowhere/at/all: cannot be read")
    );
}

/// What a few lines of aliases unfold to must not fill the memory.
#[test]
fn aliases_do_not_unfold_without_end() {
    use std::fmt::Write as _;

    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let item = format!("*a{}", level - 1);
        let items = vec![item; 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{items}]").unwrap();
    }
    let error = Folder::new(&[("bomb.yaml", &text)]).error();
    assert!(error.contains("bomb.yaml"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_within_the_folder_only() {
    use std::os::unix::fs::symlink;

    let outside = Folder::new(&[("secret.yaml", DEPLOYMENT)]);
    let folder = Folder::new(&[("..data/real.yaml", POOL)]);
    let at = |name: &str| folder.0.path().join(name);
    // As a mounted ConfigMap is laid out.
    symlink("..data/real.yaml", at("pool.yaml")).unwrap();
    symlink(outside.0.path().join("secret.yaml"), at("leak.yaml")).unwrap();
    symlink(outside.0.path(), at("leak")).unwrap();
    symlink(".", at("loop")).unwrap();
    assert_eq!(names(&folder.facts()), ["InferencePool default/pool"]);
}

#[test]
fn one_file_will_do() {
    let folder = Folder::new(&[("a.yaml", DEPLOYMENT), ("b.yaml", POOL)]);
    let file = folder.0.path().join("b.yaml");
    let facts = files(&Config::default(), &file, None, &Wanted::default()).unwrap();
    assert_eq!(names(&facts), ["InferencePool default/pool"]);
}

#[test]
fn a_variant_that_is_not_there_is_said_to_be_missing() {
    let folder = Folder::new(&[("a.yaml", DEPLOYMENT), ("b.yaml", VARIANT)]);
    let wanted = |name: &str| Wanted {
        namespace: Some("llm".into()),
        name: Some(name.into()),
    };
    assert!(folder.gather(&wanted("llama")).is_ok());
    let error = folder.gather(&wanted("lama")).unwrap_err().to_string();
    assert!(
        error.contains("no variant lama in llm; is llama meant?"),
        "{error}"
    );
    let error = folder.gather(&wanted("something-else")).unwrap_err().to_string();
    assert!(error.contains("kubectl get va"), "{error}");
    let error = folder.gather(&in_namespace("../x")).unwrap_err().to_string();
    assert!(error.contains("no name of a namespace"), "{error}");
}
