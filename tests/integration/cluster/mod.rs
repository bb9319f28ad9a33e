//! The cluster under a trial: the embedded API or a real one, with the same calls on both.

mod account;
mod admin;
mod kind;
mod requests;

use std::sync::Arc;

use scale_from_zero::demo::kubernetes::{Kube, Resource};

pub use self::{
    account::{Rights, option_rules},
    admin::{Admin, Write},
    kind::{
        CLUSTER_ROLE, CRD, DEPLOYMENT, EVENT, HPA, Kind, LEADER_WORKER_SET, NAMESPACE, POD, POOL,
        POOL_V1ALPHA2, ROLLOUT, ROLLOUT_V1, SCALED_OBJECT, STATEFUL_SET, VARIANT,
    },
    requests::Asked,
};
use crate::servers::ApiServer;

/// A cluster.
pub struct Cluster {
    /// The API as cluster admin.
    pub admin: Admin,
    backend: Backend,
}

enum Backend {
    Embedded(Kube),
    Real(Arc<ApiServer>),
}

impl Cluster {
    /// A new embedded one, with all kinds in it but those that a trial must install.
    pub async fn embed() -> Self {
        Self::embedded(Kube::start().await.expect("a port"))
    }

    /// The same on an API that runs.
    pub fn embedded(kube: Kube) -> Self {
        kube.set_present(Resource::Rollouts, false);
        let config = kube.client_config().expect("its own URL");
        Self {
            admin: Admin::new(&config).expect("a client"),
            backend: Backend::Embedded(kube),
        }
    }

    /// A real one.
    pub fn real(server: Arc<ApiServer>) -> Self {
        Self {
            admin: server.admin.clone(),
            backend: Backend::Real(server),
        }
    }

    /// The embedded API, for its faults.
    pub fn kube(&self) -> &Kube {
        match &self.backend {
            Backend::Embedded(kube) => kube,
            Backend::Real(_) => panic!("this trial is for the embedded API"),
        }
    }

    /// The real server, where it is one.
    pub fn server(&self) -> Option<&ApiServer> {
        match &self.backend {
            Backend::Embedded(_) => None,
            Backend::Real(server) => Some(server),
        }
    }

    /// Installs the CRD of a kind, so that it is served.
    pub async fn install_crd(&self, kind: Kind) {
        match &self.backend {
            Backend::Embedded(kube) => kube.set_present(kind.resource(), true),
            Backend::Real(server) => server.install_crd(kind).await,
        }
    }

    /// Removes the CRD of a kind and with it its objects.
    pub async fn remove_crd(&self, kind: Kind) {
        match &self.backend {
            Backend::Embedded(kube) => kube.set_present(kind.resource(), false),
            Backend::Real(server) => server.remove_crd(kind).await,
        }
    }

    /// A kubeconfig for an account with these rights in the namespace. On the embedded API
    /// everybody may do everything.
    pub async fn account(&self, namespace: &str, name: &str, rights: Rights) -> String {
        match &self.backend {
            Backend::Embedded(kube) => kube.kubeconfig(),
            Backend::Real(server) => account::account(server, namespace, name, rights).await,
        }
    }

    /// A kubeconfig for the cluster admin.
    pub fn admin_kubeconfig(&self) -> String {
        match &self.backend {
            Backend::Embedded(kube) => kube.kubeconfig(),
            Backend::Real(server) => server.admin_kubeconfig(),
        }
    }

    /// What the program has asked of the API: all accounts of the namespace, in the order of the
    /// answers. Watches count when they begin.
    pub fn requests(&self, namespace: &str) -> Vec<Asked> {
        match &self.backend {
            Backend::Embedded(kube) => requests::of_kube(kube),
            Backend::Real(server) => requests::of_audit(&server.audit(), namespace),
        }
    }
}

impl Kind {
    /// The same in the words of the embedded API.
    pub fn resource(self) -> Resource {
        Resource::of(self.api_version, self.name).expect("a kind that the embedded API has")
    }
}
