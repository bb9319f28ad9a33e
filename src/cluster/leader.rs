//! The optional Lease (rule 15): only for those who pay per query. Safety never rests on it.

use std::time::Duration;

use kube::Client;
use kube_lease_manager::{LeaseManager, LeaseManagerBuilder};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{config::LeaderElection, text::one_line};

/// Wait before the Lease is tried again after trouble.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// How long giving the Lease back may take at shutdown.
const RELEASE_WITHIN: Duration = Duration::from_secs(2);

/// Holds the Lease whenever it can, and says so in `leading`, until shutdown; then gives it back.
pub async fn hold(
    client: Client,
    settings: LeaderElection,
    instance: String,
    leading: watch::Sender<bool>,
    shutdown: CancellationToken,
) {
    let namespace = settings
        .namespace
        .clone()
        .unwrap_or_else(|| client.default_namespace().to_owned());
    let lease = format!("{namespace}/{}", settings.name);
    let mut said: Option<String> = None;
    loop {
        let end = hold_once(&client, &settings, &namespace, &instance, &leading, &shutdown).await;
        leading.send_replace(false);
        if shutdown.is_cancelled() {
            return;
        }
        let error = end.err().map_or_else(
            || "the Lease's task has ended".into(),
            |e| one_line(&e.to_string()),
        );
        // The same trouble again is no news.
        if said.as_ref() != Some(&error) {
            tracing::warn!(
                lease,
                error,
                "Cannot take part in leader election; not querying until it works. It needs get, create and patch on leases: manifests/rbac/leader-election"
            );
        }
        said = Some(error);
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(TRY_AGAIN) => {}
        }
    }
}

/// Takes part until there is trouble, or until shutdown, which is `Ok`.
async fn hold_once(
    client: &Client,
    settings: &LeaderElection,
    namespace: &str,
    instance: &str,
    leading: &watch::Sender<bool>,
    shutdown: &CancellationToken,
) -> Result<(), kube_lease_manager::LeaseManagerError> {
    let seconds = settings.lease_duration.as_secs();
    // The holder renews when a third of the time is left.
    let manager = LeaseManagerBuilder::new(client.clone(), &settings.name)
        .with_namespace(namespace)
        .with_identity(instance)
        .with_duration(seconds)
        .with_grace((seconds / 3).max(1))
        .build();
    let manager: LeaseManager = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        manager = manager => manager?,
    };
    let (mut held, task) = manager.watch().await;
    loop {
        let is_held = *held.borrow_and_update();
        if leading.send_replace(is_held) != is_held {
            tracing::info!(leading = is_held, instance, "Leadership changed");
        }
        tokio::select! {
            changed = held.changed() => if changed.is_err() { break },
            () = shutdown.cancelled() => {
                leading.send_replace(false);
                break;
            }
        }
    }
    // Nobody listens any more: the manager gives the Lease back and ends.
    drop(held);
    let abort = task.abort_handle();
    match tokio::time::timeout(RELEASE_WITHIN, task).await {
        Ok(Ok(Err(error))) => Err(error),
        Ok(_) => Ok(()),
        Err(_) => {
            // The API server is too slow for it; the Lease runs out by itself.
            abort.abort();
            Ok(())
        }
    }
}
