//! Columns that fit a terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::paint::{Paint, Tone};

/// Blanks between two columns.
const GAP: usize = 2;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Its title.
    pub title: &'static str,
    /// How narrow it may be made; `None`: it is never cut.
    pub least: Option<usize>,
    /// Where there is no room even so, columns are left out, those with the highest number first; 0 stays.
    pub dispensable: u8,
}

/// A cell, which holds nothing that is unfit for a line.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub text: String,
    pub tone: Tone,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        let tone = Tone::Plain;
        Self { text, tone }
    }
}

/// Columns that `text` takes on a terminal.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The rows under their titles. The last column is not padded.
pub(super) fn lay_out<const N: usize>(
    columns: &[Column; N],
    rows: &[[Cell; N]],
    room: Option<usize>,
    paint: Paint,
) -> String {
    let natural = |index: usize| {
        let cells = rows.iter().map(|row| width(&row[index].text));
        match cells.max().unwrap_or_default() {
            0 => 0,
            width => width.max(columns[index].title.len()),
        }
    };
    let widths = fitted(columns, std::array::from_fn(natural), room);
    let titles = columns.map(|column| Cell {
        text: column.title.to_owned(),
        tone: Tone::Strong,
    });
    let mut out = String::new();
    for row in std::iter::once(&titles).chain(rows) {
        let mut line = String::new();
        let mut blanks = 0;
        for (cell, width_of) in row.iter().zip(widths).filter_map(|(cell, w)| Some((cell, w?))) {
            let text = cut(&cell.text, width_of);
            line.extend(std::iter::repeat_n(' ', blanks));
            line.push_str(&paint.on(cell.tone, &text));
            blanks = width_of - width(&text) + GAP;
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// How wide each column is; `None`: left out.
fn fitted<const N: usize>(
    columns: &[Column; N],
    natural: [usize; N],
    room: Option<usize>,
) -> [Option<usize>; N] {
    // A column without a single word says nothing.
    let mut widths = natural.map(|width| (width > 0).then_some(width));
    let Some(room) = room else { return widths };
    let taken = |widths: &[Option<usize>; N]| {
        let there = widths.iter().flatten();
        there.clone().sum::<usize>() + GAP * there.count().saturating_sub(1)
    };
    let least = |index: usize| {
        let least = columns[index].least.unwrap_or(natural[index]);
        least.max(columns[index].title.len()).min(natural[index])
    };
    loop {
        let narrowest: [_; N] = std::array::from_fn(|i| widths[i].map(|_| least(i)));
        if taken(&narrowest) <= room {
            break;
        }
        let next = (0..N).filter(|i| widths[*i].is_some() && columns[*i].dispensable > 0);
        match next.max_by_key(|i| columns[*i].dispensable) {
            Some(next) => widths[next] = None,
            None => return narrowest,
        }
    }
    // One by one from the widest, so that what is short stays whole.
    while taken(&widths) > room {
        let may_shrink = (0..N).filter(|i| widths[*i].is_some_and(|width| width > least(*i)));
        let Some(widest) = may_shrink.max_by_key(|i| widths[*i]) else {
            break;
        };
        widths[widest] = widths[widest].map(|width| width - 1);
    }
    widths
}

/// The text in so many columns, with `…` for what does not fit.
pub(super) fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut line = String::new();
    let mut taken = 1;
    for c in text.chars() {
        taken += c.width().unwrap_or_default();
        if taken > room {
            break;
        }
        line.push(c);
    }
    line.push('…');
    line
}
