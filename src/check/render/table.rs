//! One row for each variant.

use super::{
    View,
    columns::{Cell, Column, cut, lay_out},
    paint::{Paint, Tone},
    plural,
};
use crate::{
    check::{Report, Row, Severity},
    text::visible,
};

/// Up to so many rows are shown whatever they say; of more, on a terminal, those that say something.
const FEW: usize = 40;
/// Columns of what is wrong, in its row.
const WORDS: usize = 60;

const COLUMNS: [Column; 8] = [
    column("VARIANT", Some(16), 0),
    column("MODEL", Some(12), 2),
    column("TARGET", Some(12), 3),
    column("READY", None, 1),
    column("POOL", Some(8), 4),
    column("QUEUE", None, 0),
    column("STATE", None, 0),
    column("FIRST PROBLEM", Some(22), 0),
];

const fn column(title: &'static str, least: Option<usize>, dispensable: u8) -> Column {
    Column {
        title,
        least,
        dispensable,
    }
}

/// The table.
pub(super) fn table(report: &Report, view: View, paint: Paint) -> String {
    let rows = &report.variants;
    let few = !view.wide && view.width.is_some() && rows.len() > FEW;
    let telling = |row: &&Row| !few || says_something(row);
    let told: Vec<_> = rows.iter().filter(telling).collect();
    let shown = if few { told.len().min(FEW) } else { told.len() };
    let cells: Vec<_> = told[..shown]
        .iter()
        .map(|row| cells(row, report, view.wide))
        .collect();
    let room = view.width.filter(|_| !view.wide);
    let mut out = String::new();
    if shown > 0 {
        out.push_str(&lay_out(&COLUMNS, &cells, room, paint));
    }
    if few {
        let (more, well) = (told.len() - shown, rows.len() - told.len());
        let mut rest = Vec::new();
        if more > 0 {
            rest.push(format!("{} with a problem", plural(more, "variant")));
        }
        if well > 0 {
            rest.push(format!("{} with nothing to tell", plural(well, "variant")));
        }
        if !rest.is_empty() {
            let rest = format!("… and {}; -o wide shows all", rest.join(", "));
            out.push_str(&paint.on(Tone::Dim, &rest));
            out.push('\n');
        }
    }
    out
}

/// Whether a row is worth its line among hundreds.
fn says_something(row: &Row) -> bool {
    row.first.is_some()
        || row.waiting.is_some_and(|waiting| waiting > 0.0)
        || !matches!(row.state, "parked" | "serving" | "out_of_scope")
}

fn cells(row: &Row, report: &Report, wide: bool) -> [Cell; 8] {
    let text = |text: &str| Cell::from(visible(text).into_owned());
    let dash = || "-".to_owned();
    let problem = row
        .first
        .and_then(|first| Some((first, report.problems.get(first)?)));
    let problem = problem.map(|(index, problem)| {
        let what = visible(&problem.what);
        // It stands in full below.
        let what = if wide {
            what.into_owned()
        } else {
            cut(&what, WORDS)
        };
        Cell {
            text: format!("[{}] {}: {what}", index + 1, problem.code),
            tone: severity(problem.severity),
        }
    });
    [
        text(&row.key.to_string()),
        text(&row.model),
        Cell::from(row.target.as_ref().map_or_else(dash, |(kind, name)| {
            // A Deployment is what one expects.
            match kind.as_str() {
                "Deployment" => visible(name).into_owned(),
                kind => visible(&format!("{kind} {name}")).into_owned(),
            }
        })),
        Cell::from(
            row.replicas
                .map_or_else(dash, |(asked, ready)| format!("{ready}/{asked}")),
        ),
        Cell::from(match &row.pools[..] {
            [] => dash(),
            pools => visible(&pools.join(",")).into_owned(),
        }),
        Cell::from(row.waiting.map_or_else(dash, count)),
        Cell {
            text: row.state.replace('_', " "),
            tone: state(row.state),
        },
        problem.unwrap_or_else(|| Cell::from(String::new())),
    ]
}

/// Requests: whole ones, as long as they are.
fn count(waiting: f64) -> String {
    if waiting >= f64::MAX {
        "many".to_owned()
    } else if waiting >= 1e9 {
        format!("{waiting:.0e}")
    } else if waiting.fract() == 0.0 {
        format!("{waiting:.0}")
    } else {
        format!("{waiting:.1}")
    }
}

fn state(word: &str) -> Tone {
    match word {
        "serving" => Tone::Good,
        "asked" | "starting" | "surplus" => Tone::Warn,
        "blocked" | "no_signal" | "overdue" | "reverted" => Tone::Bad,
        "out_of_scope" => Tone::Dim,
        _ => Tone::Plain,
    }
}

pub(super) fn severity(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Warn,
        Severity::Note => Tone::Dim,
    }
}
