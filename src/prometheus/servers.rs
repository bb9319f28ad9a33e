//! The clients in force. When a certificate on disk was rotated they are built anew.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use reqwest::Url;
use tokio::time::Instant;

use super::{
    endpoint::{self, Endpoint, Manner},
    error::SetupError,
    tls::{self, Material},
};
use crate::config::{Prometheus, Tls};

/// The files are compared with what is in force this often, and after each failure.
const CHECK_EVERY: Duration = Duration::from_secs(30);

/// All servers with the same data, at least one, in the order of the configuration.
pub(super) struct Servers {
    prometheus: Prometheus,
    urls: Vec<Url>,
    state: Mutex<State>,
}

struct State {
    endpoints: Arc<[Endpoint]>,
    material: Material,
    /// When the files are to be looked at again.
    due: Instant,
    /// The last complaint about the files, so that each is logged once.
    complaint: Option<String>,
}

impl Servers {
    /// Reads the files, and builds a client for each URL.
    pub fn new(prometheus: &Prometheus) -> Result<Self, SetupError> {
        if prometheus.urls.is_empty() {
            return Err(SetupError::NoServer);
        }
        let base = |uri| endpoint::base(uri, &prometheus.auth);
        let urls = prometheus.urls.iter().map(base).collect::<Result<Vec<_>, _>>()?;
        let material = Material::read(&prometheus.tls)?;
        let endpoints = endpoints(prometheus, &urls, &material)?;
        let state = State {
            endpoints,
            material,
            due: Instant::now() + CHECK_EVERY,
            complaint: None,
        };
        Ok(Self {
            prometheus: prometheus.clone(),
            urls,
            state: Mutex::new(state),
        })
    }

    /// The servers as they are to be asked now. Where the files cannot be used, what worked last stays.
    pub async fn current(&self) -> Arc<[Endpoint]> {
        if self.prometheus.tls != Tls::default() && self.is_due() {
            let tls = self.prometheus.tls.clone();
            if let Ok(read) = tokio::task::spawn_blocking(move || Material::read(&tls)).await {
                self.renew(read);
            }
        }
        Arc::clone(&self.state().endpoints)
    }

    /// Has the files looked at before the next query, as the last one failed.
    pub fn suspect(&self) {
        self.state().due = Instant::now();
    }

    fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        let due = state.due <= now;
        if due {
            state.due = now + CHECK_EVERY;
        }
        due
    }

    fn renew(&self, read: Result<Material, SetupError>) {
        let mut state = self.state();
        let renewed = match read {
            Ok(material) if material == state.material => {
                state.complaint = None;
                return;
            }
            Ok(material) => {
                endpoints(&self.prometheus, &self.urls, &material).map(|endpoints| (material, endpoints))
            }
            Err(error) => Err(error),
        };
        match renewed {
            Ok((material, endpoints)) => {
                tracing::info!("the files of prometheus.tls changed and are in use now");
                *state = State {
                    endpoints,
                    material,
                    due: state.due,
                    complaint: None,
                };
            }
            Err(error) => {
                let complaint = error.to_string();
                if state.complaint.as_ref() != Some(&complaint) {
                    tracing::warn!("{complaint}; what worked last stays in use");
                    state.complaint = Some(complaint);
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn endpoints(
    prometheus: &Prometheus,
    urls: &[Url],
    material: &Material,
) -> Result<Arc<[Endpoint]>, SetupError> {
    urls.iter()
        .map(|url| Endpoint::new(tls::client(prometheus, url.scheme() == "https", material)?, url))
        .collect()
}

/// What all exchanges have in common.
pub(super) fn manner(prometheus: &Prometheus) -> Result<Manner, SetupError> {
    for (ours, instead) in [
        ("query", "query.*"),
        ("time", "the server's own clock is wanted"),
        ("timeout", "prometheus.timeout"),
    ] {
        if prometheus.params.contains_key(ours) {
            return Err(SetupError::Param {
                name: ours.to_owned(),
                instead,
            });
        }
    }
    let params = prometheus
        .params
        .iter()
        .map(|(name, value)| (lasting(name), value.clone()))
        .collect();
    Ok(Manner {
        timeout: prometheus.timeout,
        auth: prometheus.auth.clone(),
        params,
    })
}

/// `name` for the rest of the process, as prometheus-http-query takes no shorter-lived name of a
/// parameter. Each distinct name is kept once, however often the configuration is read again.
fn lasting(name: &str) -> &'static str {
    static NAMES: OnceLock<Mutex<BTreeSet<&'static str>>> = OnceLock::new();
    let names = NAMES.get_or_init(Mutex::default);
    let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
    names.get(name).copied().unwrap_or_else(|| {
        let name: &'static str = Box::leak(name.into());
        names.insert(name);
        name
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::config::Auth;

    fn pem() -> String {
        rcgen::generate_simple_self_signed(vec!["ca".into()])
            .unwrap()
            .cert
            .pem()
    }

    fn servers(ca_file: &Path) -> Servers {
        let prometheus = Prometheus {
            urls: vec!["https://localhost".parse().unwrap()],
            timeout: Duration::from_secs(2),
            auth: Auth::None,
            tls: Tls {
                ca_file: Some(ca_file.to_owned()),
                ..Tls::default()
            },
            headers: [].into(),
            params: [].into(),
        };
        Servers::new(&prometheus).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_rotated_file_is_picked_up_at_the_next_check() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        fs::write(&file, pem()).unwrap();
        let servers = servers(&file);
        let first = servers.current().await;
        fs::write(&file, pem()).unwrap();
        assert!(
            Arc::ptr_eq(&first, &servers.current().await),
            "not before the check"
        );
        tokio::time::advance(CHECK_EVERY).await;
        let second = servers.current().await;
        assert!(!Arc::ptr_eq(&first, &second));
        tokio::time::advance(CHECK_EVERY).await;
        assert!(
            Arc::ptr_eq(&second, &servers.current().await),
            "not without a change"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_worked_last_stays_while_a_file_is_unusable() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        fs::write(&file, pem()).unwrap();
        let servers = servers(&file);
        let first = servers.current().await;
        for content in [None, Some("half of a")] {
            match content {
                Some(content) => fs::write(&file, content).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            servers.suspect();
            assert!(Arc::ptr_eq(&first, &servers.current().await));
            assert!(
                servers
                    .state()
                    .complaint
                    .as_ref()
                    .unwrap()
                    .contains("prometheus.tls.caFile")
            );
        }
        fs::write(&file, pem()).unwrap();
        servers.suspect();
        assert!(!Arc::ptr_eq(&first, &servers.current().await));
        assert_eq!(servers.state().complaint, None);
    }

    #[test]
    fn the_name_of_a_parameter_is_kept_once() {
        let name = lasting("dedup");
        assert_eq!(name, "dedup");
        assert!(std::ptr::eq(name, lasting(&String::from("dedup"))));
    }
}
