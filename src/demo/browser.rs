//! Opens the status page in a browser, where there is one to be seen.

use std::{
    ffi::OsString,
    net::SocketAddr,
    process::{Command, Stdio},
    time::Duration,
};

use tokio::{net::TcpStream, time::sleep};

/// How often the page is tried before nothing is opened.
const TRIES: u32 = 100;
/// From one try to the next.
const AGAIN: Duration = Duration::from_millis(100);

/// Whether a person sits in front of a screen: at a terminal, with a display. `variable` reads the environment.
pub fn is_at_hand(is_terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    is_terminal && (cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"))
}

/// Opens the page once it answers. The story says where it is, so nothing is said where that fails.
pub(super) async fn open(address: SocketAddr, url: String) {
    for _ in 0..TRIES {
        if TcpStream::connect(address).await.is_ok() {
            let opened = tokio::task::spawn_blocking(move || {
                let program = if cfg!(target_os = "macos") {
                    "open"
                } else {
                    "xdg-open"
                };
                let mut command = Command::new(program);
                command.arg(url).stdin(Stdio::null());
                command.stdout(Stdio::null()).stderr(Stdio::null()).status()
            });
            let opened = opened.await;
            tracing::debug!(?opened, "Opened the status page");
            return;
        }
        sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn a_browser_is_at_hand_at_a_terminal_with_a_display() {
        let only = |name: &'static str, value: &'static str| {
            move |asked: &str| (asked == name).then(|| OsString::from(value))
        };
        assert!(is_at_hand(true, only("DISPLAY", ":0")));
        assert!(is_at_hand(true, only("WAYLAND_DISPLAY", "wayland-0")));
        assert!(!is_at_hand(true, only("DISPLAY", "")));
        assert!(!is_at_hand(true, |_| None));
        assert!(
            !is_at_hand(false, only("DISPLAY", ":0")),
            "its output goes elsewhere"
        );
    }
}
