//! Where the outcome goes: a terminal, a pipe, a file.

use std::{
    fmt::Write as _,
    io::{IsTerminal as _, Write as _, stderr, stdout},
    process::ExitCode,
};

use terminal_size::{Height, Width, terminal_size_of};
use unicode_width::UnicodeWidthStr as _;

use super::{CheckArgs, Color, Output};
use crate::{
    check::render::{View, json},
    core::Wall,
};

/// The cursor to the first place, and away with what stands to the end of the line, or of the screen.
const HOME: &str = "\u{1b}[H";
const REST_OF_LINE: &str = "\u{1b}[K";
const REST_OF_SCREEN: &str = "\u{1b}[J";

/// The process' own streams.
pub(super) struct Screen {
    output: Output,
    colour: bool,
    terminal: bool,
    /// Whether pictures follow one another.
    watch: bool,
    shown: usize,
}

impl Screen {
    /// The streams as they are, and as the arguments want them.
    pub(super) fn of_process(args: &CheckArgs) -> Self {
        let auto = || anstream::AutoStream::choice(&stdout()) != anstream::ColorChoice::Never;
        Self {
            output: args.output,
            colour: args.output != Output::Json
                && match args.color {
                    Color::Auto => auto(),
                    Color::Always => true,
                    Color::Never => false,
                },
            terminal: stdout().is_terminal(),
            watch: args.watch.is_some(),
            shown: 0,
        }
    }

    /// How text is to look now: a terminal may change its size between two pictures.
    pub(super) fn view(&self) -> View {
        let wide = self.output == Output::Wide;
        View {
            width: size().map(|(width, _)| width).filter(|_| self.terminal && !wide),
            colour: self.colour,
            wide,
        }
    }

    /// Whether standard error is somebody's terminal who waits for the outcome.
    pub(super) fn tells_progress(&self) -> bool {
        !self.watch && stderr().is_terminal()
    }

    /// Prints a picture. `false`: nobody reads on.
    pub(super) fn show(&mut self, text: &str) -> bool {
        let redraws = self.watch && self.terminal && self.output != Output::Json;
        let text = if redraws {
            drawn(text, size(), self.shown == 0)
        } else if self.watch && self.shown > 0 && self.output != Output::Json {
            // What follows is another picture.
            format!("\n{text}")
        } else {
            text.to_owned()
        };
        self.shown += 1;
        let mut out = stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
    }

    /// Says why there is no picture. `false`: nobody reads on.
    pub(super) fn fail(&mut self, error: &str) -> bool {
        if self.output == Output::Json {
            let document = json::failure(error, Wall::now(), self.watch).unwrap_or_default();
            return self.show(&document);
        }
        if self.watch && self.terminal {
            return self.show(&format!("scale-from-zero: {error}\n"));
        }
        eprintln!("scale-from-zero: {error}");
        true
    }

    /// The end by a signal.
    pub(super) fn end(&self, status: u8, watch: bool) -> ExitCode {
        if !watch || self.shown == 0 {
            // As a shell reports it: there is no last status.
            return ExitCode::from(130);
        }
        ExitCode::from(status)
    }
}

fn size() -> Option<(usize, usize)> {
    let (Width(width), Height(height)) = terminal_size_of(stdout())?;
    Some((width.into(), height.into()))
}

/// A picture over the one before: no line is wiped before its successor stands, so that nothing flickers.
fn drawn(text: &str, size: Option<(usize, usize)>, first: bool) -> String {
    let lines: Vec<_> = text.lines().collect();
    let (width, height) = size.unwrap_or((usize::MAX, usize::MAX));
    // A command that is longer than the terminal is wide takes several rows.
    let rows = |line: &str| {
        let plain = anstream::adapter::strip_str(line).to_string();
        plain.width().div_ceil(width.max(1)).max(1)
    };
    // The cursor needs a row of its own.
    let room = height.saturating_sub(1).max(2);
    let mut shown = lines.len();
    if lines.iter().map(|line| rows(line)).sum::<usize>() > room {
        // And so does what is told of the rest.
        let mut taken = 1;
        let fits = |line: &&&str| {
            taken += rows(line);
            taken <= room
        };
        shown = lines.iter().take_while(fits).count();
    }
    let mut picture = String::from(if first { "\u{1b}[2J" } else { "" });
    picture.push_str(HOME);
    for line in &lines[..shown] {
        picture.push_str(line);
        picture.push_str(REST_OF_LINE);
        picture.push('\n');
    }
    if shown < lines.len() {
        let _ = writeln!(picture, "… {} more lines{REST_OF_LINE}", lines.len() - shown);
    }
    picture.push_str(REST_OF_SCREEN);
    picture
}

#[cfg(test)]
mod tests {
    use super::drawn;

    #[test]
    fn a_picture_stays_on_the_screen() {
        let text = "a\nb\nc\nd\n";
        let whole = drawn(text, Some((80, 10)), true);
        assert_eq!(
            whole,
            "\u{1b}[2J\u{1b}[Ha\u{1b}[K\nb\u{1b}[K\nc\u{1b}[K\nd\u{1b}[K\n\u{1b}[J"
        );
        let cut = drawn(text, Some((80, 4)), false);
        assert_eq!(
            cut,
            "\u{1b}[Ha\u{1b}[K\nb\u{1b}[K\n… 2 more lines\u{1b}[K\n\u{1b}[J"
        );
    }

    #[test]
    fn a_long_line_takes_several_rows_whatever_its_colours() {
        let text = "\u{1b}[1m0123456789\u{1b}[0m\nb\n";
        assert!(drawn(text, Some((5, 4)), false).contains("b\u{1b}[K"));
        assert_eq!(
            drawn(text, Some((5, 3)), false),
            "\u{1b}[H… 2 more lines\u{1b}[K\n\u{1b}[J"
        );
        assert!(drawn(text, None, false).contains("b\u{1b}[K"));
    }
}
