//! `check` from its arguments to its exit status.

mod args;
mod narrow;
mod progress;
mod screen;

use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

pub use self::args::{Account, CheckArgs, Color, Interval, Output};
use self::{narrow::narrow, progress::Progress, screen::Screen};
use super::{
    Facts, Report, Verdict, explain, gather,
    gather::Wanted,
    judge,
    render::{self, Page, json},
};
use crate::{
    cluster::client,
    config::{self, Config, Environment},
};

/// Exit status where something is wrong.
const PROBLEMS: u8 = 1;
/// Exit status where nothing can be said; that of a wrong command line as well.
const NOT_CHECKED: u8 = 2;

/// Checks, prints what was found, and says by the exit status how it went.
pub async fn run(args: CheckArgs) -> ExitCode {
    let mut screen = Screen::of_process(&args);
    let stop = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut int), Ok(mut term)) = stop else {
        screen.fail("cannot listen for signals");
        return ExitCode::from(NOT_CHECKED);
    };
    let source = match Source::open(&args).await {
        Ok(source) => source,
        Err(error) => {
            screen.fail(&error.to_string());
            return ExitCode::from(NOT_CHECKED);
        }
    };
    let mut status = NOT_CHECKED;
    loop {
        let looked = tokio::select! {
            looked = source.look(&args, &screen) => looked,
            () = stopped(&mut int, &mut term) => return screen.end(status, args.watch.is_some()),
        };
        let printed = match looked {
            Ok((text, found)) => {
                status = found;
                screen.show(&text)
            }
            Err(error) => {
                status = NOT_CHECKED;
                screen.fail(&error.to_string())
            }
        };
        let Some(Interval(interval)) = args.watch.filter(|_| printed) else {
            return ExitCode::from(status);
        };
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = stopped(&mut int, &mut term) => return screen.end(status, true),
        }
    }
}

/// Waits for the first signal to end.
async fn stopped(int: &mut Signal, term: &mut Signal) {
    tokio::select! {
        _ = int.recv() => {}
        _ = term.recv() => {}
    }
}

/// What is looked at.
struct Source {
    config: Config,
    cluster: Option<(kube::Client, String)>,
}

impl Source {
    async fn open(args: &CheckArgs) -> anyhow::Result<Self> {
        let config = match &args.config {
            Some(file) => config::load(file, &Environment::of_process())?.config,
            None => Config::default(),
        };
        let cluster = if args.objects.is_some() {
            None
        } else {
            let way = client::config().await?;
            Some((client::client(&way)?, way.cluster_url.to_string()))
        };
        Ok(Self { config, cluster })
    }

    /// Looks once. Returns what is to be printed, and the exit status it comes to.
    async fn look(&self, args: &CheckArgs, screen: &Screen) -> anyhow::Result<(String, u8)> {
        let wanted = Wanted {
            namespace: args.namespace.clone(),
            name: args.name.clone(),
        };
        let facts = match (&self.cluster, &args.objects) {
            (Some((client, url)), _) => {
                let who = args.service_account.clone().map(|account| account.0);
                let who = who.unwrap_or_default();
                let looking = gather::live(client, url, &self.config, &wanted, &who);
                let looking = Box::pin(looking);
                Progress::over(looking, url, screen.tells_progress()).await?
            }
            (None, objects) => {
                let objects = objects.clone().unwrap_or_default();
                gather::files(&self.config, &objects, args.samples.as_deref(), &wanted)?
            }
        };
        outcome(&facts, args, screen)
    }
}

/// What the facts come to.
fn outcome(facts: &Facts, args: &CheckArgs, screen: &Screen) -> anyhow::Result<(String, u8)> {
    let verdict = Verdict::of(facts);
    let report = narrow(judge(&verdict), facts, args);
    let only = narrow::described(args);
    let page = Page {
        facts,
        report: &report,
        config: args.config.as_deref(),
        only: only.as_deref(),
    };
    let stories = args
        .explain
        .as_deref()
        .map(|model| explain::explain(&verdict, &report, model, args.namespace.as_deref()));
    let text = match (args.output, &stories) {
        (Output::Json, stories) => json::json(&page, stories.as_deref(), args.watch.is_some())?,
        (_, Some(stories)) => render::story(&page, stories, screen.view()),
        (_, None) => render::text(&page, screen.view()),
    };
    Ok((text, status(&report, stories.as_deref())))
}

/// The exit status: with a story the same as without one, of the same variants. A name that nothing has is a problem,
/// though no probe should say so.
fn status(report: &Report, stories: Option<&[explain::Story]>) -> u8 {
    let unknown = |story: &explain::Story| story.namespace.is_none();
    let broken = stories.into_iter().flatten().any(unknown);
    if report.has_problems() || broken {
        PROBLEMS
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{PROBLEMS, Verdict, explain, judge, status};
    use crate::check::tests::given::{Given, well};

    /// The exit status without a story and with one.
    fn both(given: &Given, model: &str) -> (u8, u8) {
        let facts = given.facts();
        let verdict = Verdict::of(&facts);
        let report = judge(&verdict);
        let stories = explain::explain(&verdict, &report, model, None);
        (status(&report, None), status(&report, Some(&stories)))
    }

    #[test]
    fn a_story_exits_as_the_check_of_its_variants_does() {
        let mut given = well();
        assert_eq!(both(&given, "meta/llama-8b"), (0, 0));
        // A model that is out of scope does not wake, as was asked for.
        given.set(
            "VariantAutoscaling",
            "llama",
            &["metadata", "annotations"],
            json!({"scale-from-zero/exclude": "true"}),
        );
        assert_eq!(given.report().variants[0].state, "out_of_scope");
        assert_eq!(both(&given, "meta/llama-8b"), (0, 0));
        let mut given = well();
        given.without("Pod", "llama-epp-1");
        assert_eq!(both(&given, "meta/llama-8b"), (PROBLEMS, PROBLEMS));
        assert_eq!(both(&well(), "nothing-like-it"), (0, PROBLEMS));
    }
}
