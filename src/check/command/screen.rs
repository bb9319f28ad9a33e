//! Where the outcome goes: a terminal, a pipe, a file.

use std::{
    io::{IsTerminal as _, Write as _, stderr, stdout},
    process::ExitCode,
};

use terminal_size::{Height, Width, terminal_size_of};

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
            drawn(text, size().map(|(_, height)| height), self.shown == 0)
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
fn drawn(text: &str, height: Option<usize>, first: bool) -> String {
    let lines: Vec<_> = text.lines().collect();
    // The cursor needs a line of its own.
    let room = height.map_or(usize::MAX, |height| height.saturating_sub(1).max(2));
    let mut picture = String::from(if first { "\u{1b}[2J" } else { "" });
    picture.push_str(HOME);
    let shown = if lines.len() > room { room - 1 } else { lines.len() };
    for line in &lines[..shown] {
        picture.push_str(line);
        picture.push_str(REST_OF_LINE);
        picture.push('\n');
    }
    if shown < lines.len() {
        picture.push_str(&format!("… {} more lines{REST_OF_LINE}\n", lines.len() - shown));
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
        let whole = drawn(text, Some(10), true);
        assert_eq!(
            whole,
            "\u{1b}[2J\u{1b}[Ha\u{1b}[K\nb\u{1b}[K\nc\u{1b}[K\nd\u{1b}[K\n\u{1b}[J"
        );
        let cut = drawn(text, Some(4), false);
        assert_eq!(
            cut,
            "\u{1b}[Ha\u{1b}[K\nb\u{1b}[K\n… 2 more lines\u{1b}[K\n\u{1b}[J"
        );
    }
}
