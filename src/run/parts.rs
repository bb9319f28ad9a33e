//! The parts that outlive a change of configuration: the listener and the Lease.

use std::{future::pending, sync::Arc, time::Duration};

use kube::Client;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::RunError;
use crate::{
    cluster::hold,
    config::LeaderElection,
    report::{Admin, Extras, serve},
};

/// How long open requests to the listener may take at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// The admin server.
pub(super) struct Listener {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Listener {
    /// Answers on a socket that is bound already.
    pub(super) fn start(socket: TcpListener, admin: Admin, extras: Extras) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(socket, admin, extras, stop.clone()));
        Self { stop, task }
    }

    /// Waits for its end, which is an error while nobody has asked for it.
    pub(super) async fn ended(&mut self) -> RunError {
        // Only a panic ends it before it is asked to.
        let _ = (&mut self.task).await;
        RunError::Ended("the listener")
    }

    /// Lets open requests finish, for a moment.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if self.task.is_finished() {
            // Its end has been told of already, and cannot be asked for again.
            return;
        }
        let abort = self.task.abort_handle();
        if tokio::time::timeout(LAST_ANSWERS, self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// The part in leader election; without it, this copy always leads.
pub(super) struct Lease {
    leading: watch::Receiver<bool>,
    held: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Lease {
    /// Takes part, if that is configured.
    pub(super) fn start(client: &Client, settings: &LeaderElection, instance: &Arc<str>) -> Self {
        let (say, leading) = watch::channel(!settings.enabled);
        let held = settings.enabled.then(|| {
            let stop = CancellationToken::new();
            let hold = hold(
                client.clone(),
                settings.clone(),
                instance.to_string(),
                say,
                stop.clone(),
            );
            (stop, tokio::spawn(hold))
        });
        Self { leading, held }
    }

    /// Whether this copy queries and wakes.
    pub(super) fn is_leading(&self) -> bool {
        *self.leading.borrow()
    }

    /// Waits for the end of its task.
    pub(super) async fn ended(&mut self) -> RunError {
        match &mut self.held {
            Some((_, task)) => {
                // Only a panic ends it before it is asked to.
                let _ = task.await;
                RunError::Ended("leader election")
            }
            None => pending().await,
        }
    }

    /// Asks for the Lease to be given back, without waiting.
    pub(super) fn release(&self) {
        if let Some((stop, _)) = &self.held {
            stop.cancel();
        }
    }

    /// Gives the Lease back.
    pub(super) async fn stop(self) {
        self.release();
        if let Some((_, task)) = self.held
            && !task.is_finished()
        {
            // It bounds itself; a panic in it has nothing left to give back.
            let _ = task.await;
        }
    }
}
