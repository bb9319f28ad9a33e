//! What the account may do of what the program needs.

use futures::future::join_all;

use super::{
    Who,
    needs::{Granted, OTHER_KIND, RULES, Situation, WVA},
};
use crate::{
    check::{Access, Need, Unread},
    cluster::{Raw, Review},
    config::Config,
};

/// A question, before it is asked.
struct Wish {
    verb: &'static str,
    group: String,
    resource: String,
    namespace: Option<String>,
    name: Option<String>,
    need: Need,
}

/// Asks for each right that is needed, and for those that WVA's own engine works with.
pub(super) async fn ask(
    raw: &Raw<'_>,
    situation: Situation<'_>,
    resources: &[(String, String)],
    unread: &[Unread],
    namespace: Option<&str>,
    who: &Who,
) -> Vec<Access> {
    let is_absent = |group: &str, resource: &str| {
        unread.iter().any(|unread| {
            let plural = format!("{}s", unread.kind.to_lowercase());
            unread.absent && unread.group == group && resource.split('/').next() == Some(&plural)
        })
    };
    let mut wishes = wishes(situation, resources, namespace);
    wishes.retain(|wish| !is_absent(&wish.group, &wish.resource));
    let account = match who {
        Who::Myself => None,
        Who::ServiceAccount { namespace, name } => Some((
            format!("system:serviceaccount:{namespace}:{name}"),
            [
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ],
        )),
    };
    let user = account.as_ref().map(|(user, groups)| (&**user, &groups[..]));
    let answers = wishes.into_iter().map(async |wish| {
        let review = Review {
            user,
            verb: wish.verb,
            group: &wish.group,
            resource: &wish.resource,
            namespace: wish.namespace.as_deref(),
            name: wish.name.as_deref(),
        };
        let allowed = raw.may(&review).await.map_err(|error| error.to_string());
        Access {
            verb: wish.verb,
            group: wish.group,
            resource: wish.resource,
            namespace: wish.namespace,
            need: wish.need,
            allowed,
        }
    });
    join_all(answers).await
}

/// Where the program would ask under this configuration: everywhere, or in each namespace of its scope, of which one may
/// be wanted.
fn scopes(config: &Config, wanted: Option<&str>) -> Vec<Option<String>> {
    let namespaces = &config.scope.namespaces;
    let one = wanted.filter(|wanted| namespaces.iter().any(|namespace| namespace == wanted));
    match one {
        Some(one) => vec![Some(one.to_owned())],
        None if namespaces.is_empty() => vec![None],
        None => namespaces.iter().cloned().map(Some).collect(),
    }
}

fn wishes(situation: Situation<'_>, others: &[(String, String)], wanted: Option<&str>) -> Vec<Wish> {
    let config = situation.config;
    let mut wishes = Vec::new();
    let lease = &config.leader_election;
    for namespace in scopes(config, wanted) {
        let is_cluster_wide = namespace.is_none();
        for rule in RULES {
            let Some(need) = rule.need(situation) else {
                continue;
            };
            let (namespace, name) = match rule.granted {
                Granted::Always | Granted::Option(_) => (namespace.clone(), rule.name.map(str::to_owned)),
                Granted::ClusterWide | Granted::ClusterWideOption(_) if is_cluster_wide => {
                    (None, rule.name.map(str::to_owned))
                }
                Granted::ClusterWide | Granted::ClusterWideOption(_) | Granted::Lease => continue,
            };
            for group in rule.groups {
                for resource in rule.resources {
                    wishes.extend(rule.verbs.iter().map(|verb| Wish {
                        verb,
                        group: (*group).to_owned(),
                        resource: (*resource).to_owned(),
                        namespace: namespace.clone(),
                        name: name.clone(),
                        need,
                    }));
                }
            }
        }
        for (group, plural) in others {
            wishes.extend(OTHER_KIND.map(|(verb, of_scale, need)| Wish {
                verb,
                group: group.clone(),
                resource: if of_scale {
                    format!("{plural}/scale")
                } else {
                    plural.clone()
                },
                namespace: namespace.clone(),
                name: None,
                need,
            }));
        }
        wishes.extend(WVA.map(|(group, resource, verb)| Wish {
            verb,
            group: group.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.clone(),
            name: None,
            need: Need::Wva,
        }));
    }
    for rule in RULES.iter().filter(|rule| rule.granted == Granted::Lease) {
        let Some(need) = rule.need(situation) else {
            continue;
        };
        wishes.extend(rule.verbs.iter().map(|verb| Wish {
            verb,
            group: rule.groups.concat(),
            resource: rule.resources.concat(),
            namespace: lease.namespace.clone(),
            name: rule.name.map(|_| lease.name.clone()),
            need,
        }));
    }
    wishes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(config: &Config, others: &[(String, String)], wanted: Option<&str>) -> Vec<String> {
        let situation = Situation {
            config,
            has_managed: false,
            kinds: &[],
        };
        let wishes = wishes(situation, others, wanted).into_iter();
        let told = wishes.map(|wish| {
            let at = wish.namespace.unwrap_or_default();
            let name = wish.name.unwrap_or_default();
            format!("{} {}.{} {at}/{name}", wish.verb, wish.resource, wish.group)
        });
        told.collect()
    }

    #[test]
    fn rights_are_asked_for_where_the_program_would_use_them() {
        let mut config = Config::default();
        let all = asked(&config, &[], Some("llm"));
        assert!(
            all.contains(&"patch deployments/scale.apps /".into()),
            "cluster-wide, whatever is wanted"
        );
        assert!(all.contains(&"watch namespaces. /".into()));
        assert!(
            !all.iter()
                .any(|wish| wish.contains("statefulsets") || wish.contains("leases"))
        );

        config.scope.namespaces = vec!["llm".into(), "other".into()];
        config.leader_election.enabled = true;
        config.leader_election.name = "mine".into();
        config.leader_election.namespace = Some("ours".into());
        let all = asked(&config, &[], None);
        assert!(all.contains(&"patch deployments/scale.apps other/".into()));
        assert!(!all.iter().any(|wish| wish.contains("namespaces.")), "{all:?}");
        let leases: Vec<_> = all.iter().filter(|wish| wish.contains("leases")).collect();
        assert_eq!(
            leases,
            [
                "get leases.coordination.k8s.io ours/mine",
                "patch leases.coordination.k8s.io ours/mine",
                "create leases.coordination.k8s.io ours/"
            ]
        );
        let one = asked(&config, &[("argoproj.io".into(), "rollouts".into())], Some("llm"));
        assert!(!one.iter().any(|wish| wish.contains(" other/")));
        assert!(one.contains(&"patch rollouts/scale.argoproj.io llm/".into()));
    }
}
