//! `wake`: how a wake is chosen, sent and repeated.

use super::{
    check::{self, ABOVE_ZERO, FROM_ZERO},
    flag,
};
use crate::config::{Backoff, Wake, error::Problems, key::Key, raw, words};

/// Most escalations of one episode. Each may leave one more variant at a replica that nobody asked for, and no
/// model has more ways to be served than this.
const MOST_ESCALATIONS: u32 = 16;

/// Most scale requests under way at once: far above what any API server answers faster for.
const MOST_REQUESTS: usize = 256;

pub(super) fn section(raw: raw::Wake, default: &Wake, problems: &mut Problems) -> Wake {
    let (max_starting, max_starting_per_namespace) = caps(&raw, problems);
    let mut span = |key: &str, given, default, least| check::span(key, given, default, least, problems);
    let ready_timeout = span(
        "wake.readyTimeout",
        raw.ready_timeout,
        default.ready_timeout,
        ABOVE_ZERO,
    );
    let unschedulable_after = span(
        "wake.unschedulableAfter",
        raw.unschedulable_after,
        default.unschedulable_after,
        ABOVE_ZERO,
    );
    let settle = span("wake.settle", raw.settle, default.settle, ABOVE_ZERO);
    let manual_hold = span("wake.manualHold", raw.manual_hold, default.manual_hold, FROM_ZERO);
    Wake {
        select: check::word("wake.select", raw.select, default.select, words::SELECT, problems),
        unmatched: check::word(
            "wake.unmatched",
            raw.unmatched,
            default.unmatched,
            words::UNMATCHED,
            problems,
        ),
        guard: flag(raw.guard, default.guard),
        concurrency: check::count(
            "wake.concurrency",
            raw.concurrency,
            default.concurrency,
            &(1..=MOST_REQUESTS),
            problems,
        ),
        ready_timeout,
        unschedulable_after,
        max_escalations: check::count(
            "wake.maxEscalations",
            raw.max_escalations,
            default.max_escalations,
            &(0..=MOST_ESCALATIONS),
            problems,
        ),
        settle,
        manual_hold,
        max_starting,
        max_starting_per_namespace,
        backoff: backoff(&raw.backoff, default.backoff, problems),
    }
}

/// The caps of all targets and of those of one namespace. The latter could never be reached above the former, so
/// whoever wrote it expects something else.
fn caps(raw: &raw::Wake, problems: &mut Problems) -> (Option<usize>, Option<usize>) {
    let all = check::cap("wake.maxStarting", raw.max_starting, problems);
    let each = check::cap(
        "wake.maxStartingPerNamespace",
        raw.max_starting_per_namespace,
        problems,
    );
    if let (Some(all), Some(each)) = (all, each)
        && each > all
    {
        problems.add(
            Key::of("wake.maxStartingPerNamespace"),
            format!("{each} is more than wake.maxStarting, {all}; lower the one or raise the other"),
        );
    }
    (all, each)
}

fn backoff(raw: &raw::Backoff, default: Backoff, problems: &mut Problems) -> Backoff {
    let initial = check::span(
        "wake.backoff.initial",
        raw.initial,
        default.initial,
        ABOVE_ZERO,
        problems,
    );
    let max = check::span("wake.backoff.max", raw.max, default.max, ABOVE_ZERO, problems);
    if initial > max && !problems.touch(&Key::of("wake.backoff")) {
        let [initial, max] = [initial, max].map(humantime::format_duration);
        problems.add(
            Key::of("wake.backoff.initial"),
            format!("{initial} is longer than wake.backoff.max, {max}; lower the one or raise the other"),
        );
    }
    Backoff { initial, max }
}
