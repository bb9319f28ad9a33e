//! A process of ours that does not outlive us.
//!
//! Dropping it kills it. Should this process be killed itself, the kernel does: `setpriv` (of
//! util-linux) asks for a SIGKILL on the death of the parent, which is the thread that started it.
//! So whoever starts a process here must do so on a thread that lives as long as it. Where there is
//! no `setpriv`, processes outlive a killed test.

use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    sync::LazyLock,
};

use tokio::process::{Child, Command};

/// A command that dies with us.
pub fn command(program: &Path) -> Command {
    static SETPRIV: LazyLock<bool> = LazyLock::new(|| {
        let tried = std::process::Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "true"])
            .output();
        tried.is_ok_and(|tried| tried.status.success())
    });
    let mut command = if *SETPRIV {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// A server whose output goes to a file.
pub struct Server {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it; its log is `DIR/NAME.log`.
    pub fn start(
        program: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        dir: &Path,
    ) -> Result<Self, String> {
        let name = program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let log = dir.join(format!("{name}.log"));
        let failed = |error: std::io::Error| format!("cannot start {}: {error}", program.display());
        let out = File::create(&log).map_err(failed)?;
        let err = out.try_clone().map_err(failed)?;
        let child = command(program)
            .args(arguments)
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(failed)?;
        Ok(Self { name, child, log })
    }

    /// Whether it still runs; if not, what it said.
    pub fn check(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("{} has ended: {status}\n{}", self.name, self.tail())),
            Err(error) => Err(format!("{}: {error}", self.name)),
        }
    }

    /// The end of its log.
    pub fn tail(&self) -> String {
        const LINES: usize = 40;
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(LINES)..].join("\n");
        format!("--- log of {}\n{tail}", self.name)
    }
}

impl Drop for Server {
    /// Kills it and sees it dead, so that its folder can go.
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Kills a process and sees it dead.
pub fn end(child: &mut Child) {
    const LOOKS: u32 = 400;
    let _ = child.start_kill();
    for _ in 0..LOOKS {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
