//! What `check` asks of Prometheus beside the loop's queries: the series of the queues with all their labels, what is
//! scraped and how often, the version, the clock.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures::future::try_join_all;
use reqwest::Url;
use serde::Deserialize;

use super::{
    client::Prometheus,
    error::QueryError,
    series::{Series, plain, series},
    verdict::{Kind, Question},
};
use crate::{core::Wall, text::tame};

/// One target of Prometheus (`/api/v1/targets`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScrapeTarget {
    /// Its labels after relabelling: `namespace`, `pod`, `service`, `job`, ...
    pub labels: BTreeMap<String, String>,
    /// Name of the scrape configuration: `serviceMonitor/llm/epp/0`.
    pub pool: String,
    /// What is scraped, without user information and parameters.
    pub url: String,
    /// How often; `None` where the version does not say.
    pub interval: Option<Duration>,
    /// `up`, `down` or `unknown`.
    pub health: String,
    /// Why it is down; empty otherwise.
    pub last_error: String,
    /// When it was scraped last.
    pub last_scrape: Option<Wall>,
}

/// <https://prometheus.io/docs/prometheus/latest/querying/api/#targets>, as far as it is read.
#[derive(Deserialize)]
struct Targets {
    data: Active,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Active {
    active_targets: Option<Vec<Target>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    labels: BTreeMap<String, String>,
    scrape_pool: String,
    scrape_url: String,
    scrape_interval: Option<String>,
    health: String,
    last_error: String,
    last_scrape: Option<String>,
}

#[derive(Deserialize)]
struct BuildInfo {
    data: Build,
}

#[derive(Deserialize)]
struct Build {
    version: String,
}

impl Prometheus {
    /// The series of the queue families and of the saturations beside them, each with all its labels and the age of
    /// its sample. Two queries for each family, at once.
    ///
    /// # Errors
    /// As for [`demand`](Self::demand).
    pub async fn series(&self) -> Result<Vec<Series>, QueryError> {
        let families = self.families().iter().map(async |selector| {
            let age = format!("time() - timestamp({selector})");
            let (mut all, ages) = tokio::try_join!(self.vector(selector), self.vector(&age))?;
            let ages: HashMap<_, _> = ages.into_iter().map(|age| (age.labels, age.value)).collect();
            for series in &mut all {
                series.age = ages.get(&series.labels).copied();
            }
            Ok::<_, QueryError>(all)
        });
        Ok(try_join_all(families).await?.into_iter().flatten().collect())
    }

    /// What is scraped. Thanos, Mimir and others have no such page.
    ///
    /// # Errors
    /// As for [`demand`](Self::demand).
    pub async fn targets(&self) -> Result<Vec<ScrapeTarget>, QueryError> {
        let question = Question {
            text: "/api/v1/targets?state=active",
            kind: Kind::Page,
        };
        let answer: Targets = self.first(question, plain).await?;
        let targets = answer.data.active_targets.unwrap_or_default();
        Ok(targets.into_iter().map(Target::told).collect())
    }

    /// The version of Prometheus, as it calls it: `3.5.0`.
    ///
    /// # Errors
    /// As for [`demand`](Self::demand).
    pub async fn version(&self) -> Result<String, QueryError> {
        let question = Question {
            text: "/api/v1/status/buildinfo",
            kind: Kind::Page,
        };
        let answer: BuildInfo = self.first(question, plain).await?;
        Ok(tame(&answer.data.version, 50))
    }

    /// By how many seconds its clock is ahead of ours, to half of a round trip. `None` where the answer is empty.
    ///
    /// # Errors
    /// As for [`demand`](Self::demand).
    pub async fn clock_ahead(&self) -> Result<Option<f64>, QueryError> {
        let before = Wall::now();
        let there = self.vector("vector(time())").await?;
        let after = Wall::now();
        let here = f64::midpoint(seconds(before), seconds(after));
        Ok(there.first().map(|there| there.value - here))
    }

    async fn vector(&self, text: &str) -> Result<Vec<Series>, QueryError> {
        let kind = Kind::Built;
        self.first(Question { text, kind }, series).await
    }
}

fn seconds(time: Wall) -> f64 {
    time.duration_since(Wall::UNIX_EPOCH).as_secs_f64()
}

impl Target {
    fn told(self) -> ScrapeTarget {
        let scraped = self.last_scrape.as_deref().and_then(|text| text.parse().ok());
        ScrapeTarget {
            labels: self.labels,
            pool: self.scrape_pool,
            url: bare(&self.scrape_url),
            // As in PromQL, whose units humantime has as well.
            interval: self
                .scrape_interval
                .as_deref()
                .and_then(|text| humantime::parse_duration(text).ok()),
            health: self.health,
            last_error: tame(&self.last_error, 500),
            // Go's zero time stands for never.
            last_scrape: scraped.filter(|at: &Wall| *at > Wall::UNIX_EPOCH),
        }
    }
}

/// A URL without what may be secret.
fn bare(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else {
        return String::new();
    };
    // Only fails for URLs that have no host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_as_prometheus_tells_it() {
        let body = br#"{"status":"success","data":{"activeTargets":[{
            "discoveredLabels":{"__address__":"10.0.0.1:9090"},
            "labels":{"instance":"10.0.0.1:9090","job":"epp","namespace":"llm"},
            "scrapePool":"serviceMonitor/llm/epp/0","scrapeUrl":"http://u:secret@10.0.0.1:9090/metrics?token=secret",
            "globalUrl":"x","lastError":"","lastScrape":"2026-11-25T03:00:00.123456789Z","lastScrapeDuration":0.002,
            "health":"up","scrapeInterval":"1m30s","scrapeTimeout":"250ms"},
            {"labels":{},"health":"down","lastError":"refused\n","lastScrape":"0001-01-01T00:00:00Z"}]}}"#;
        let (answer, _) = plain::<Targets>(body).unwrap();
        let told: Vec<_> = answer
            .data
            .active_targets
            .unwrap()
            .into_iter()
            .map(Target::told)
            .collect();
        assert_eq!(told[0].url, "http://10.0.0.1:9090/metrics");
        assert_eq!(told[0].interval, Some(Duration::from_secs(90)));
        assert_eq!(
            (&*told[0].health, &*told[0].pool),
            ("up", "serviceMonitor/llm/epp/0")
        );
        assert!(told[0].last_scrape.is_some());
        assert_eq!(
            (told[1].interval, told[1].last_scrape, &*told[1].last_error),
            (None, None, "refused")
        );
    }
}
