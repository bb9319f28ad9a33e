//! The Lease, through `kube-lease-manager` itself.

use kube_lease_manager::{LeaseManager, LeaseManagerBuilder};
use scale_from_zero::demo::kubernetes::{Kube, Resource, Verb};

use crate::{client, soon, start};

async fn manager(kube: &Kube, identity: &str) -> LeaseManager {
    LeaseManagerBuilder::new(client(kube), "scale-from-zero")
        .with_identity(identity)
        .with_duration(15)
        .with_grace(5)
        .build()
        .await
        .unwrap()
}

fn holder(kube: &Kube) -> Option<String> {
    let lease = kube.get(Resource::Leases, "default", "scale-from-zero").unwrap();
    lease["spec"]["holderIdentity"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn is_taken_and_given_back() {
    let (kube, _) = start().await;
    let one = manager(&kube, "one").await;
    assert!(soon(one.changed()).await.unwrap());
    assert_eq!(holder(&kube).as_deref(), Some("one"));
    one.release().await.unwrap();
    assert_eq!(holder(&kube), None);

    let other = manager(&kube, "other").await;
    assert!(soon(other.changed()).await.unwrap());
    assert_eq!(holder(&kube).as_deref(), Some("other"));
    let lease = kube.get(Resource::Leases, "default", "scale-from-zero").unwrap();
    assert_eq!(lease["spec"]["leaseTransitions"], 2);
}

/// Both find it free and apply their name; the second one is refused.
#[tokio::test]
async fn has_one_holder_of_two_that_run_for_it() {
    let (kube, _) = start().await;
    let (one, other) = (manager(&kube, "one").await, manager(&kube, "other").await);
    let winner = soon(async {
        tokio::select! {
            result = one.changed() => { result.unwrap(); "one" }
            result = other.changed() => { result.unwrap(); "other" }
        }
    })
    .await;
    assert_eq!(holder(&kube).as_deref(), Some(winner));
    assert!(kube.requests().iter().any(|request| request.verb == Verb::Patch));
}
