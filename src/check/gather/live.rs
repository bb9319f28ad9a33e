//! From a cluster and its Prometheus.

use std::sync::Arc;

use futures::future::join_all;
use kube::{Client, api::ApiResource, core::GroupVersionKind};
use serde_json::Value;

use super::{
    GatherError, Wanted, Who, access, epp,
    inventory::{Known, apply_other, inventory, standing},
    needs::Situation,
    object, prometheus,
};
use crate::{
    check::{Facts, Objects, Origin, Unread},
    clock::Clock,
    cluster::{Found, Raw, RequestError, resource},
    config::Config,
    core::{Failure, Inventory, Kind, OtherKind, Source, TargetKind},
};

/// Gathers everything that a check looks at. A few requests at once, each with a deadline.
///
/// # Errors
/// Where nothing can be checked: no answer, no way in, or what is wanted is not there.
pub async fn live(
    client: &Client,
    cluster_url: &str,
    config: &Config,
    wanted: &Wanted,
    who: &Who,
) -> Result<Facts, GatherError> {
    wanted.check()?;
    let begin = std::time::Instant::now();
    let mut cluster = Cluster::new(client);
    let version = cluster.version(cluster_url).await?;
    let (found, account, prometheus) = tokio::join!(
        cluster.read(config, wanted),
        account(client, who),
        prometheus::ask(config)
    );
    let (inventory, others) = found?;
    wanted_is_there(wanted, &inventory, &cluster)?;

    let mut kinds: Vec<TargetKind> = inventory
        .entries()
        .filter_map(|(_, entry)| Some(entry.target()?.kind.clone()))
        .collect();
    kinds.sort();
    kinds.dedup();
    let situation = Situation {
        config,
        has_managed: inventory
            .entries()
            .any(|(key, _)| key.source != Source::VariantAutoscaling),
        kinds: &kinds,
    };
    let namespace = wanted.namespace.as_deref();
    let access = access::ask(&cluster.raw, situation, &others, &cluster.unread, namespace, who).await;
    tracing::debug!(
        // The account is asked for beside.
        requests = cluster.raw.requests() + 1,
        objects = cluster.objects.iter().count(),
        took = ?begin.elapsed(),
        "Gathered the facts"
    );
    Ok(Facts {
        config: config.clone(),
        origin: Origin::Live {
            cluster: cluster_url.to_owned(),
            version,
        },
        now: Clock::start().now(),
        objects: cluster.objects,
        unread: cluster.unread,
        inventory,
        access,
        account,
        prometheus,
    })
}

/// Whose rights are looked at, by name.
async fn account(client: &Client, who: &Who) -> Option<String> {
    match who {
        // Servers before 1.28 do not say.
        Who::Myself => Raw::new(client).account().await.ok().flatten(),
        Who::ServiceAccount { namespace, name } => Some(format!("system:serviceaccount:{namespace}:{name}")),
    }
}

/// That it was not found says something only where it could be read.
fn wanted_is_there(wanted: &Wanted, inventory: &Inventory, cluster: &Cluster<'_>) -> Result<(), GatherError> {
    let is_unread = cluster.unread.iter().any(|unread| {
        !unread.absent
            && ["VariantAutoscaling", "ScaledObject", "HorizontalPodAutoscaler"].contains(&&*unread.kind)
    });
    if is_unread { Ok(()) } else { wanted.find(inventory) }
}

/// One list: of what, where, and what came of it.
pub(super) type Answer = (ApiResource, Option<String>, Result<Vec<Value>, RequestError>);

/// What is read of the cluster.
pub(super) struct Cluster<'a> {
    pub raw: Raw<'a>,
    pub objects: Objects,
    pub unread: Vec<Unread>,
}

impl<'a> Cluster<'a> {
    fn new(client: &'a Client) -> Self {
        Self {
            raw: Raw::new(client),
            objects: Objects::default(),
            unread: Vec::new(),
        }
    }

    /// The server's version. With it shows whether there is a server at all that lets us in.
    async fn version(&self, url: &str) -> Result<Option<String>, GatherError> {
        match self.raw.version().await {
            Ok(version) => Ok(version),
            Err(error) if error.failure == Failure::NoAnswer => Err(GatherError::NoAnswer {
                url: url.to_owned(),
                why: error.message,
            }),
            Err(error) if error.message.starts_with("401 ") => Err(GatherError::Unauthorized {
                url: url.to_owned(),
                why: error.message,
            }),
            Err(_) => Ok(None),
        }
    }

    /// Reads everything. Returns it as the loop knows it, and the resources, group and plural, of targets that discovery
    /// found.
    async fn read(
        &mut self,
        config: &Config,
        wanted: &Wanted,
    ) -> Result<(Inventory, Vec<(String, String)>), GatherError> {
        let scopes: Vec<Option<String>> = match (&wanted.namespace, &config.scope.namespaces[..]) {
            (Some(one), _) => vec![Some(one.clone())],
            (None, []) => vec![None],
            (None, some) => some.iter().cloned().map(Some).collect(),
        };
        let kinds = standing(config).filter(|kind| *kind != Kind::Namespace);
        let kinds: Vec<_> = kinds.filter_map(|kind| resource(&kind)).collect();
        let lists = scopes
            .iter()
            .flat_map(|within| kinds.iter().map(|kind| (kind.clone(), within.clone())));
        let (answers, namespaces) = tokio::join!(self.list(lists.collect()), self.namespaces(&scopes));
        self.keep(answers);
        let is_there = |answer: &Answer| !matches!(&answer.2, Ok(found) if found.is_empty());
        if let Some(one) = &wanted.namespace
            && !namespaces.iter().all(is_there)
        {
            return Err(GatherError::NoNamespace(one.clone()));
        }
        self.keep(namespaces);
        let mut inventory = inventory(config, &self.objects, &self.unread);
        let others = self.others(&mut inventory, scopes == [None]).await;
        epp::read(self).await;
        if self.objects.all("keda.sh", "ScaledObject").next().is_some() {
            self.keda().await;
        }
        Ok((inventory, others))
    }

    /// Lists, a few at once.
    pub async fn list(&self, wanted: Vec<(ApiResource, Option<String>)>) -> Vec<Answer> {
        let raw = &self.raw;
        let lists = wanted.into_iter().map(async |(resource, within)| {
            let answer = raw.list(&resource, within.as_deref()).await;
            (resource, within, answer)
        });
        join_all(lists).await
    }

    /// Keeps what was read, and what could not be.
    pub fn keep(&mut self, answers: Vec<Answer>) {
        for (resource, within, answer) in answers {
            match answer {
                Ok(found) => {
                    for object in found.into_iter().filter_map(|json| object(json, None)) {
                        self.objects.add(object);
                    }
                }
                Err(error) => {
                    let absent = error.failure == Failure::NotFound;
                    let unread = Unread {
                        group: resource.group.clone(),
                        kind: resource.kind.clone(),
                        // A kind that is not there is so in all of them.
                        namespace: within.filter(|_| !absent),
                        why: error.to_string(),
                        absent,
                    };
                    let is_known = |known: &Unread| {
                        known.absent && (&known.group, &known.kind) == (&unread.group, &unread.kind)
                    };
                    if !self.unread.iter().any(is_known) {
                        self.unread.push(unread);
                    }
                }
            }
        }
    }

    /// The namespaces: all, or each by its name.
    async fn namespaces(&self, scopes: &[Option<String>]) -> Vec<Answer> {
        let Some(kind) = resource(&Kind::Namespace) else {
            return Vec::new();
        };
        let raw = &self.raw;
        let answers = scopes.iter().map(async |within| {
            let answer = match within {
                None => raw.list(&kind, None).await,
                Some(name) => raw
                    .get(&kind, None, name)
                    .await
                    .map(|found| found.into_iter().collect()),
            };
            (kind.clone(), within.clone(), answer)
        });
        join_all(answers).await
    }

    /// Targets of kinds that variants name and only discovery finds.
    async fn others(&mut self, inventory: &mut Inventory, everywhere: bool) -> Vec<(String, String)> {
        let named: Vec<(Arc<OtherKind>, Arc<str>)> = inventory.other_kinds().cloned().collect();
        let mut kinds: Vec<_> = named.iter().map(|(kind, _)| kind.clone()).collect();
        kinds.sort();
        kinds.dedup();
        let raw = &self.raw;
        let found = join_all(kinds.iter().map(async |kind| raw.discover(kind).await)).await;
        let (mut resources, mut lists) = (Vec::new(), Vec::new());
        let mut scalable = Vec::new();
        for (kind, found) in kinds.iter().zip(found) {
            match found {
                Ok(Found::Scalable(resource)) => {
                    scalable.push(kind);
                    resources.push((resource.group.clone(), resource.plural.clone()));
                    if everywhere {
                        lists.push((resource, None));
                    } else {
                        let namespaces = named.iter().filter(|(of, _)| of == kind);
                        lists.extend(
                            namespaces.map(|(_, within)| (resource.clone(), Some(within.to_string()))),
                        );
                    }
                }
                Ok(Found::NotScalable) => apply_other(inventory, kind, &Known::NotScalable),
                Ok(Found::Absent { .. }) => self.unread.push(Unread {
                    group: kind.group.to_string(),
                    kind: kind.kind.to_string(),
                    namespace: None,
                    why: format!("the API server has no kind {kind}"),
                    absent: true,
                }),
                Err(error) => {
                    // Whether it can be scaled is not known, so that there is none says nothing.
                    scalable.push(kind);
                    self.unread.push(Unread {
                        group: kind.group.to_string(),
                        kind: kind.kind.to_string(),
                        namespace: None,
                        why: error.to_string(),
                        absent: false,
                    });
                }
            }
        }
        let answers = self.list(lists).await;
        self.keep(answers);
        for kind in scalable {
            apply_other(inventory, kind, &Known::Scalable(&self.objects, &self.unread));
        }
        resources
    }

    /// KEDA's version stands on its CRD, whose schema nobody wants here.
    async fn keda(&mut self) {
        let kind = ApiResource::from_gvk_with_plural(
            &GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
            "customresourcedefinitions",
        );
        let answer = self.raw.get(&kind, None, "scaledobjects.keda.sh").await;
        let found = answer.map(|found| {
            let without = found.map(|mut crd| {
                if let Some(fields) = crd.as_object_mut() {
                    fields.retain(|name, _| ["apiVersion", "kind", "metadata"].contains(&&**name));
                }
                crd
            });
            without.into_iter().collect()
        });
        self.keep(vec![(kind, None, found)]);
    }
}
