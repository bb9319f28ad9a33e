//! A file that changes, on paused time: the clock jumps to the next beat as soon as nothing else is to be done.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use scale_from_zero::config::{Change, Config, Environment, Loaded, Watched, load};
use tempfile::TempDir;
use tokio::time::{Instant, advance, timeout};

/// A folder as the kubelet mounts a ConfigMap: the file is a link through `..data` into a folder of its generation.
struct Mounted {
    folder: TempDir,
    generation: u32,
}

impl Mounted {
    fn new(text: &str) -> Self {
        let mut mounted = Self {
            folder: tempfile::tempdir().unwrap(),
            generation: 0,
        };
        mounted.swap(text);
        symlink("..data/config.yaml", mounted.file()).unwrap();
        mounted
    }

    fn file(&self) -> PathBuf {
        self.path("config.yaml")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As the kubelet does it: a new folder, a new link renamed over the old one.
    fn swap(&mut self, text: &str) {
        self.generation += 1;
        let name = format!("..generation_{}", self.generation);
        fs::create_dir(self.path(&name)).unwrap();
        fs::write(self.path(&name).join("config.yaml"), text).unwrap();
        symlink(&name, self.path("..data_tmp")).unwrap();
        fs::rename(self.path("..data_tmp"), self.path("..data")).unwrap();
    }

    fn watched(&self) -> Watched {
        let env = Environment::default();
        let loaded = load(&self.file(), &env).unwrap();
        Watched::new(Some(self.file()), env, loaded)
    }
}

/// The next change; there has to be one.
async fn change(watched: &mut Watched) -> Change {
    timeout(Duration::from_secs(60), watched.next())
        .await
        .expect("no change is told")
}

async fn good(watched: &mut Watched) -> Config {
    match change(watched).await {
        Change::Good(config) => *config,
        other => panic!("not good: {other:?}"),
    }
}

async fn bad(watched: &mut Watched) -> String {
    match change(watched).await {
        Change::Bad(error) => error.to_string(),
        other => panic!("not bad: {other:?}"),
    }
}

async fn nothing(watched: &mut Watched) {
    let change = timeout(Duration::from_secs(60), watched.next()).await;
    assert!(change.is_err(), "{change:?}");
}

#[tokio::test(start_paused = true)]
async fn a_swapped_config_map_is_in_force_within_two_readings() {
    let mut mounted = Mounted::new("interval: 100ms");
    let mut watched = mounted.watched();
    nothing(&mut watched).await;
    mounted.swap("interval: 200ms");
    let begin = Instant::now();
    assert_eq!(good(&mut watched).await.interval, Duration::from_millis(200));
    assert!(begin.elapsed() <= Duration::from_secs(4), "{:?}", begin.elapsed());
    nothing(&mut watched).await;
}

#[tokio::test(start_paused = true)]
async fn what_says_the_same_is_no_change() {
    let mut mounted = Mounted::new("interval: 200ms");
    let mut watched = mounted.watched();
    mounted.swap("# a comment\ninterval: 200ms\n");
    nothing(&mut watched).await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_content_is_told_once_and_what_was_in_force_stays() {
    let mut mounted = Mounted::new("interval: 200ms");
    let mut watched = mounted.watched();
    mounted.swap("interval: 1");
    let told = bad(&mut watched).await;
    assert!(
        told.ends_with(
            "line 1: interval: 1 is not a duration; write a number with a unit, e.g. 100ms, 2s, 5m"
        )
    );
    nothing(&mut watched).await;
    mounted.swap("interval: 2");
    bad(&mut watched).await;
    nothing(&mut watched).await;
    mounted.swap("interval: 200ms");
    assert!(matches!(change(&mut watched).await, Change::Restored));
    nothing(&mut watched).await;
    mounted.swap("interval: 300ms");
    assert_eq!(good(&mut watched).await.interval, Duration::from_millis(300));
}

#[tokio::test(start_paused = true)]
async fn a_file_gone_for_a_moment_is_waited_for() {
    let mounted = Mounted::new("interval: 200ms");
    let mut watched = mounted.watched();
    fs::rename(mounted.file(), mounted.path("aside")).unwrap();
    // One reading finds nothing.
    assert!(timeout(Duration::from_secs(3), watched.next()).await.is_err());
    fs::rename(mounted.path("aside"), mounted.file()).unwrap();
    nothing(&mut watched).await;
    // Gone for good.
    fs::remove_file(mounted.file()).unwrap();
    let told = bad(&mut watched).await;
    assert!(
        told.ends_with(
            "cannot be read: No such file or directory (os error 2); name a file that can be, with --config"
        ),
        "{told}"
    );
    nothing(&mut watched).await;
}

#[tokio::test(start_paused = true)]
async fn a_file_half_written_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    fs::write(&file, "interval: 200ms\ndryRun: true\n").unwrap();
    let env = Environment::default();
    let mut watched = Watched::new(Some(file.clone()), env.clone(), load(&file, &env).unwrap());
    // An editor has emptied it and not written yet: that would be all defaults.
    fs::write(&file, "").unwrap();
    assert!(timeout(Duration::from_secs(3), watched.next()).await.is_err());
    fs::write(&file, "interval: 300ms\ndryRun: true\n").unwrap();
    let config = good(&mut watched).await;
    assert!(
        config.dry_run && config.interval == Duration::from_millis(300),
        "{config:?}"
    );
}

/// The text of a configuration that names three files in `folder`.
fn with_tls(folder: &Path) -> String {
    let [ca, cert, key] = ["ca", "cert", "key"].map(|name| folder.join(name).display().to_string());
    format!("prometheus: {{tls: {{caFile: {ca}, certFile: {cert}, keyFile: {key}}}}}")
}

#[tokio::test(start_paused = true)]
async fn a_rotated_certificate_is_a_change() {
    let certificates = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| fs::write(certificates.path().join(name), content).unwrap();
    for name in ["ca", "cert", "key"] {
        write(name, "old");
    }
    let mut mounted = Mounted::new(&with_tls(certificates.path()));
    let in_force = load(&mounted.file(), &Environment::default()).unwrap().config;
    let mut watched = mounted.watched();
    nothing(&mut watched).await;
    for name in ["ca", "cert", "key"] {
        write(name, "new");
        assert_eq!(good(&mut watched).await, in_force);
        nothing(&mut watched).await;
    }
    // The certificate first, its key a moment later: one change.
    write("cert", "newer");
    assert!(timeout(Duration::from_secs(3), watched.next()).await.is_err());
    write("key", "newer");
    assert_eq!(good(&mut watched).await, in_force);
    nothing(&mut watched).await;
    // One is gone: those in use are the best there are. Then it is back.
    fs::remove_file(certificates.path().join("ca")).unwrap();
    nothing(&mut watched).await;
    write("ca", "new");
    nothing(&mut watched).await;
    // They rotate while the file itself is bad, too.
    mounted.swap("interval: 1");
    bad(&mut watched).await;
    write("ca", "newest");
    assert_eq!(good(&mut watched).await, in_force);
    nothing(&mut watched).await;
}

#[tokio::test(start_paused = true)]
async fn certificates_that_come_after_the_start_are_a_change() {
    let certificates = tempfile::tempdir().unwrap();
    let mounted = Mounted::new(&with_tls(certificates.path()));
    let mut watched = mounted.watched();
    nothing(&mut watched).await;
    for name in ["ca", "cert", "key"] {
        fs::write(certificates.path().join(name), "first").unwrap();
    }
    good(&mut watched).await;
    nothing(&mut watched).await;
}

#[tokio::test(start_paused = true)]
async fn dropping_the_wait_loses_nothing() {
    let mut mounted = Mounted::new("interval: 100ms");
    let mut watched = mounted.watched();
    mounted.swap("interval: 200ms");
    // As in a `select!` beside a tick that always comes first.
    let mut config = None;
    for _ in 0..100 {
        if let Ok(Change::Good(new)) = timeout(Duration::from_millis(50), watched.next()).await {
            config = Some(new);
        }
    }
    assert_eq!(config.unwrap().interval, Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn without_a_file_nothing_changes() {
    let mut watched = Watched::new(None, Environment::default(), Loaded::default());
    nothing(&mut watched).await;
    advance(Duration::from_secs(3600)).await;
    nothing(&mut watched).await;
}
