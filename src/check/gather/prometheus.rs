//! What Prometheus says, part by part.

use std::time::Instant;

use crate::{check::Prom, config::Config, prometheus::Prometheus};

/// Asks for every part. One that fails is told in its place.
pub(super) async fn ask(config: &Config) -> Prom {
    let prometheus = match Prometheus::new(&config.prometheus, &config.query) {
        Ok(prometheus) => prometheus,
        Err(error) => {
            let told = error.to_string();
            return Prom {
                servers: config
                    .prometheus
                    .urls
                    .iter()
                    .filter_map(|url| Some(url.host()?.to_owned()))
                    .collect(),
                demand: Some(Err(told.clone())),
                series_error: Some(told.clone()),
                targets: Some(Err(told)),
                ..Prom::default()
            };
        }
    };
    // First what says least, so that the time of the next holds no handshake: the loop's connection is warm.
    let version = prometheus.version().await;
    let begin = Instant::now();
    let demand = prometheus.demand().await;
    let latency = begin.elapsed();
    let (clock_ahead, ages, seen, series, targets) = tokio::join!(
        prometheus.clock_ahead(),
        prometheus.ages(),
        prometheus.signals(),
        prometheus.series(),
        prometheus.targets(),
    );
    if let Err(error) = &seen {
        tracing::warn!(%error, "What endpoint pickers export is not known");
    }
    if let Err(error) = &ages {
        tracing::warn!(%error, "How old samples are is not known");
    }
    let (series, series_error) = match series {
        Ok(series) => (series, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    Prom {
        servers: prometheus.urls().await,
        latency: demand.is_ok().then_some(latency),
        demand: Some(demand.map_err(|error| error.to_string())),
        ages: ages.ok().flatten(),
        seen: seen.ok().flatten(),
        series,
        series_error,
        targets: Some(targets.map_err(|error| error.to_string())),
        version: version.ok(),
        clock_ahead: clock_ahead.ok().flatten(),
    }
}
