//! `scale_from_zero::prometheus` against servers that demand things, misbehave, or die.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod certificates;
mod credentials;
mod examples;
mod failover;
mod pki;
mod server;
mod signals;
mod survey;

use std::{io::Write, path::PathBuf, time::Duration};

use scale_from_zero::{
    config::{Auth, Prometheus as Config, Query, Tls},
    core::Sample,
    prometheus::{Prometheus, QueryError, Reason, SetupError},
};
use server::{Reply, Request};

/// Longer than anything here takes; only what is to run into it sets a shorter one.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(urls: &[&str]) -> Config {
    Config {
        urls: urls.iter().map(|url| url.parse().unwrap()).collect(),
        timeout: PATIENCE,
        auth: Auth::None,
        tls: Tls::default(),
        headers: [].into(),
        params: [].into(),
    }
}

fn query() -> Query {
    Query {
        families: vec!["new_queue".into(), "old_queue".into()],
        ..Query::default()
    }
}

fn client(config: &Config) -> Prometheus {
    Prometheus::new(config, &query()).unwrap()
}

fn setup_error(config: &Config) -> SetupError {
    Prometheus::new(config, &query()).map(|_| ()).unwrap_err()
}

/// An answer with one row, of model `m` with 5 waiting.
fn five() -> String {
    r#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"__name__":"new_queue","model_name":"m"},"value":[1700000000.5,"5"]}]}}"#
        .into()
}

fn answers_five(_: &Request) -> Reply {
    Reply::new(200, five())
}

async fn assert_five(prometheus: &Prometheus) {
    let expected = Sample {
        family: Some("new_queue".into()),
        model: Some("m".into()),
        value: 5.0,
        ..Sample::default()
    };
    assert_eq!(prometheus.demand().await.unwrap(), [expected]);
}

/// The demand query fails for this reason, saying all of this.
async fn assert_fails(prometheus: &Prometheus, reason: Reason, says: &[&str]) -> QueryError {
    let error = prometheus.demand().await.unwrap_err();
    assert_eq!(error.reason, reason, "{error}");
    for says in says {
        assert!(error.to_string().contains(says), "{says:?} is not in: {error}");
    }
    error
}

/// A folder of files that vanishes with its owner.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(content.as_ref()).unwrap();
        path
    }
}

/// Runs the test of this name once more in a process of its own with other variables in its environment,
/// where `true` is returned. In the first process the outcome is checked.
fn in_child(test: &str, env: &[(&str, &str)]) -> bool {
    const MARK: &str = "SCALE_FROM_ZERO_TEST_CHILD";
    if std::env::var_os(MARK).is_some_and(|name| name == test) {
        return true;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(MARK, test)
        .envs(env.iter().copied())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        printed.contains("1 passed"),
        "{test} is not the name of a test: {printed}"
    );
    false
}
