//! Standard output.

use std::io::{self, Write as _};

/// Prints `text` as it is.
///
/// A reader that has had enough, as `head` has, is no error: there is nobody left to tell.
///
/// # Errors
/// What else keeps it from being written, such as a full disk.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        end => end,
    }
}
