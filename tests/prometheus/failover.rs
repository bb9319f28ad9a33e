//! Several servers with the same data.

use std::{
    io,
    sync::{Arc, Mutex},
};

use super::{
    server::{Body, Reply, Server},
    *,
};

/// What is logged on this thread while the guard lives.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone())
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn asked(server: &Server) -> usize {
    server.requests().len()
}

#[tokio::test]
async fn the_next_is_asked_when_one_dies_and_stays_preferred() {
    let (log, _guard) = Log::capture();
    let (first, second) = (
        Server::start(answers_five).await,
        Server::start(answers_five).await,
    );
    let prometheus = client(&config(&[&first.url(), &second.url()]));
    assert_five(&prometheus).await;
    assert_eq!((asked(&first), asked(&second)), (1, 0));

    let first_url = first.url();
    let address = first.stop().await;
    for _ in 0..3 {
        assert_five(&prometheus).await;
    }
    assert_eq!(asked(&second), 3);
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "once, not per tick: {lines:?}");
    for says in [
        "WARN",
        &first_url,
        "cannot connect",
        "reason=\"connect\"",
        &second.url(),
        "asked first now",
    ] {
        assert!(lines[0].contains(says), "{says:?} is not in {}", lines[0]);
    }

    // It comes back, and is needed only once the second dies.
    let first = Server::start_at(address, None, answers_five).await;
    assert_five(&prometheus).await;
    assert_eq!((asked(&first), asked(&second)), (0, 4));
    second.stop().await;
    assert_five(&prometheus).await;
    assert_eq!(asked(&first), 1);
    assert_eq!(log.lines().len(), 2);
}

#[tokio::test]
async fn clones_share_what_was_learnt() {
    let (dead, alive) = (
        Server::start(|_| Reply::new(500, "")).await,
        Server::start(answers_five).await,
    );
    let prometheus = client(&config(&[&dead.url(), &alive.url()]));
    assert_five(&prometheus.clone()).await;
    assert_five(&prometheus).await;
    assert_eq!((asked(&dead), asked(&alive)), (1, 2));
}

#[tokio::test]
async fn each_server_has_its_own_deadline() {
    let slow = Server::start(|_| Body::NoHead.into()).await;
    let halfway = Server::start(|_| Body::Hangs(five()).into()).await;
    let good = Server::start(answers_five).await;
    let config = config(&[&slow.url(), &halfway.url(), &good.url()]);
    let prometheus = client(&Config {
        timeout: Duration::from_secs(2),
        ..config
    });
    assert_five(&prometheus).await;
    assert_eq!((asked(&slow), asked(&halfway), asked(&good)), (1, 1, 1));
}

#[tokio::test]
async fn whatever_only_one_server_lacks_is_a_reason_to_ask_the_next() {
    let warned = five().replacen('{', r#"{"warnings":["a store is gone"],"#, 1);
    let execution = r#"{"status":"error","errorType":"execution","error":"store"}"#;
    for reply in [
        Reply::new(200, warned),
        Reply::new(200, "<html>"),
        Reply::new(302, ""),
        Reply::new(401, ""),
        Reply::new(404, ""),
        Reply::new(422, execution),
        Reply::new(429, "").with("retry-after", "60"),
        Reply::new(500, ""),
    ] {
        let (odd, good) = (
            Server::start(move |_| reply.clone()).await,
            Server::start(answers_five).await,
        );
        assert_five(&client(&config(&[&odd.url(), &good.url()]))).await;
        assert_eq!((asked(&odd), asked(&good)), (1, 1));
    }
}

#[tokio::test]
async fn what_every_server_would_refuse_is_asked_once() {
    let refused = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
    let scalar = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#;
    for (status, body) in [(400, refused), (200, scalar)] {
        let odd = Server::start(move |_| Reply::new(status, body)).await;
        let good = Server::start(answers_five).await;
        assert_fails(
            &client(&config(&[&odd.url(), &good.url()])),
            Reason::BadQuery,
            &[],
        )
        .await;
        assert_eq!((asked(&odd), asked(&good)), (1, 0));
    }
}

#[tokio::test]
async fn when_all_fail_the_error_tells_of_all() {
    let throttled = |wish: &'static str| move |_: &Request| Reply::new(429, "").with("retry-after", wish);
    let first = Server::start(throttled("3")).await;
    let second = Server::start(throttled("9")).await;
    let third = Server::start(|_| Reply::new(500, "out of memory")).await;
    let urls = [first.url(), second.url(), third.url()];
    let prometheus = client(&config(&urls.each_ref().map(String::as_str)));
    let says = [&urls[0], "429", &urls[1], "; then", &urls[2], "out of memory"];
    let error = assert_fails(&prometheus, Reason::Throttled, &says).await;
    assert_eq!(error.url, urls[0]);
    assert_eq!(error.retry_after, Some(Duration::from_secs(9)));
}
