//! Samples that are too old wake nothing (rule 5).

use std::{collections::BTreeMap, time::Duration};

use super::{Blocked, Memory, Now, Plan, Rules, Sample, plan::held};

impl Plan {
    /// Gives each wake the age of its sample, and holds back those whose sample is too old.
    ///
    /// `ages` are seconds, labelled as the demand's rows; the freshest that fits counts. A wake that
    /// none fits keeps an unknown age and is sent: better a wake too many than one too few.
    pub fn check_ages(&mut self, ages: Vec<Sample>, memory: &mut Memory, now: Now, rules: &Rules) {
        const LOOK_AGAIN: Duration = Duration::from_secs(1);
        let mut by_model: BTreeMap<Box<str>, Vec<Sample>> = BTreeMap::new();
        for sample in ages {
            let model = sample
                .target_model
                .as_deref()
                .or(sample.model.as_deref())
                .unwrap_or_default();
            by_model.entry(model.into()).or_default().push(sample);
        }
        let fits = |label: Option<&str>, name: &str| label.is_none_or(|l| l == name);
        let (fresh, stale): (Vec<_>, Vec<_>) = std::mem::take(&mut self.wakes)
            .into_iter()
            .map(|mut wake| {
                let named = by_model.get(&*wake.key.model).into_iter().flatten();
                let samples = named.chain(by_model.get("").into_iter().flatten());
                let seconds = samples
                    .filter(|s| fits(s.namespace.as_deref(), &wake.key.namespace))
                    .filter(|s| fits(s.pool.as_deref(), &wake.key.pool))
                    .map(|s| s.value)
                    .filter(|v| v.is_finite())
                    .min_by(f64::total_cmp);
                wake.sample_age =
                    seconds.map(|s| Duration::try_from_secs_f64(s.max(0.0)).unwrap_or(Duration::MAX));
                wake.decided = now.mono;
                wake
            })
            .partition(|wake| wake.sample_age.is_none_or(|age| age <= rules.max_sample_age));
        self.wakes = fresh;
        let stale: BTreeMap<_, _> = stale.iter().map(|wake| (&wake.key, wake)).collect();
        for (key, wake) in stale {
            memory.found_stale(key, now.mono + LOOK_AGAIN);
            let variant = Some(&wake.variant);
            self.blocked
                .push(held(key, wake.cause.waiting(), Blocked::StaleDemand, variant));
        }
        self.keep_escalations_that_wake();
    }
}
