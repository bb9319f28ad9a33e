//! TLS: whom we trust, who trusts us, and what happens when either is rotated on disk.

use super::{
    pki::{self, Ca},
    server::Server,
    *,
};

fn trusting(url: &str, ca_file: PathBuf) -> Config {
    Config {
        tls: Tls {
            ca_file: Some(ca_file),
            ..Tls::default()
        },
        ..config(&[url])
    }
}

#[tokio::test]
async fn a_private_ca_is_trusted_where_it_is_named() {
    let (ca, files) = (Ca::new("private"), Files::new());
    let server = Server::start_tls(pki::server(&ca.sign("127.0.0.1"), None), answers_five).await;
    let bundle = Ca::new("another").pem() + &ca.pem();
    assert_five(&client(&trusting(&server.url(), files.write("ca.pem", bundle)))).await;
}

#[tokio::test]
async fn only_the_named_ca_is_trusted() {
    let (ca, files) = (Ca::new("private"), Files::new());
    let server = Server::start_tls(pki::server(&ca.sign("127.0.0.1"), None), answers_five).await;
    let prometheus = client(&trusting(
        &server.url(),
        files.write("ca.pem", Ca::new("another").pem()),
    ));
    let says = ["invalid peer certificate", "prometheus.tls.caFile"];
    assert_fails(&prometheus, Reason::Tls, &says).await;
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let (ca, files) = (Ca::new("private"), Files::new());
    let server = Server::start_tls(pki::server(&ca.sign("prometheus.example"), None), answers_five).await;
    let prometheus = client(&trusting(&server.url(), files.write("ca.pem", ca.pem())));
    assert_fails(
        &prometheus,
        Reason::Tls,
        &["prometheus.example", "a host that it is for"],
    )
    .await;
}

#[tokio::test]
async fn any_certificate_is_taken_where_verification_is_skipped() {
    let server = Server::start_tls(pki::server(&Ca::new("private").sign("other"), None), answers_five).await;
    let tls = Tls {
        insecure_skip_verify: true,
        ..Tls::default()
    };
    assert_five(&client(&Config {
        tls,
        ..config(&[&server.url()])
    }))
    .await;
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_wanted() {
    let (ca, clients, files) = (Ca::new("servers"), Ca::new("clients"), Files::new());
    let server = Server::start_tls(pki::server(&ca.sign("127.0.0.1"), Some(&clients)), answers_five).await;
    let leaf = clients.sign("scale-from-zero");
    let mut config = trusting(&server.url(), files.write("ca.pem", ca.pem()));
    let says = ["fatal alert", "prometheus.tls.certFile"];
    assert_fails(&client(&config), Reason::Tls, &says).await;

    config.tls.client = Some((
        files.write("tls.crt", leaf.cert_pem),
        files.write("tls.key", leaf.key_pem),
    ));
    assert_five(&client(&config)).await;

    let stranger = Ca::new("strangers").sign("scale-from-zero");
    files.write("tls.crt", stranger.cert_pem);
    files.write("tls.key", stranger.key_pem);
    assert_fails(&client(&config), Reason::Tls, &["prometheus.tls.certFile"]).await;
}

#[tokio::test]
async fn rotated_files_are_picked_up_after_a_failure() {
    let (first, second, files) = (Ca::new("first"), Ca::new("second"), Files::new());
    let server = Server::start_tls(pki::server(&first.sign("127.0.0.1"), Some(&first)), answers_five).await;
    let url = server.url();
    let mut config = trusting(&url, files.write("ca.pem", first.pem()));
    let leaf = first.sign("scale-from-zero");
    config.tls.client = Some((
        files.write("tls.crt", leaf.cert_pem),
        files.write("tls.key", leaf.key_pem),
    ));
    let prometheus = client(&config);
    assert_five(&prometheus).await;

    // A new CA on both sides; the file comes late, and first in halves.
    let tls = pki::server(&second.sign("127.0.0.1"), Some(&second));
    let server = Server::start_at(server.stop().await, Some(tls), answers_five).await;
    assert_fails(&prometheus, Reason::Tls, &["invalid peer certificate"]).await;
    files.write("ca.pem", "-----BEGIN CERTIFICATE-----\n");
    assert_fails(&prometheus, Reason::Tls, &["invalid peer certificate"]).await;
    files.write("ca.pem", second.pem());
    assert_fails(&prometheus, Reason::Tls, &["fatal alert"]).await;
    let leaf = second.sign("scale-from-zero");
    files.write("tls.crt", leaf.cert_pem);
    assert_fails(&prometheus, Reason::Tls, &["fatal alert"]).await;
    files.write("tls.key", leaf.key_pem);
    assert_five(&prometheus).await;
    drop(server);
}

#[tokio::test]
async fn the_wrong_scheme_is_told() {
    let files = Files::new();
    let ca = Ca::new("private");
    let plain = Server::start(answers_five).await;
    let https = plain.url().replace("http:", "https:");
    let prometheus = client(&trusting(&https, files.write("ca.pem", ca.pem())));
    assert_fails(&prometheus, Reason::Tls, &["is it https"]).await;
}

#[test]
fn files_that_hold_something_else_are_named() {
    let files = Files::new();
    let (ca, leaf) = (Ca::new("private"), Ca::new("clients").sign("me"));
    let good_ca = files.write("ca.pem", ca.pem());
    let cert = files.write("tls.crt", &leaf.cert_pem);
    let key = files.write("tls.key", &leaf.key_pem);
    let other_key = files.write("other.key", ca.sign("me").key_pem);
    let empty = files.write("empty", "");
    let text = files.write(
        "text",
        "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
    );
    let missing = files.path("missing");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\naGVsbG8=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let encrypted = files.write("encrypted", encrypted);
    let tls = |ca: &PathBuf, client: Option<(&PathBuf, &PathBuf)>| Tls {
        ca_file: Some(ca.clone()),
        client: client.map(|(cert, key)| (cert.clone(), key.clone())),
        insecure_skip_verify: false,
    };
    for (tls, says) in [
        (
            tls(&missing, None),
            ["prometheus.tls.caFile: cannot read ", "missing", "mount the file"],
        ),
        (
            tls(&empty, None),
            ["prometheus.tls.caFile: ", "empty", "no certificate in PEM"],
        ),
        (
            tls(&text, None),
            ["prometheus.tls.caFile: ", "text", "is no certificate"],
        ),
        (
            tls(&good_ca, Some((&missing, &key))),
            ["prometheus.tls.certFile: cannot read", "missing", ""],
        ),
        (
            tls(&good_ca, Some((&cert, &missing))),
            ["prometheus.tls.keyFile: cannot read", "missing", ""],
        ),
        (
            tls(&good_ca, Some((&key, &key))),
            ["prometheus.tls.certFile: ", "tls.key", "no certificate"],
        ),
        (
            tls(&good_ca, Some((&cert, &cert))),
            ["prometheus.tls.keyFile: ", "tls.crt", "no private key"],
        ),
        (
            tls(&good_ca, Some((&cert, &encrypted))),
            ["keyFile: ", "encrypted", "without a passphrase"],
        ),
        (
            tls(&good_ca, Some((&cert, &other_key))),
            ["keyFile: ", "other.key and", "do not belong together"],
        ),
    ] {
        let error = setup_error(&Config {
            tls,
            ..config(&["https://localhost"])
        });
        for says in says {
            assert!(error.to_string().contains(says), "{says:?} is not in: {error}");
        }
    }
}

/// As in an image that ships no CA roots; and no proxy of the environment is asked.
#[tokio::test]
async fn no_roots_and_no_proxies_are_needed() {
    let env = [
        ("SSL_CERT_FILE", "/nonexistent"),
        ("SSL_CERT_DIR", "/nonexistent"),
        ("http_proxy", "http://127.0.0.1:1"),
        ("https_proxy", "http://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
    ];
    if !in_child("certificates::no_roots_and_no_proxies_are_needed", &env) {
        return;
    }
    let (ca, files) = (Ca::new("private"), Files::new());
    let plain = Server::start(answers_five).await;
    let tls = Server::start_tls(pki::server(&ca.sign("127.0.0.1"), None), answers_five).await;
    assert_five(&client(&config(&[&plain.url()]))).await;
    let trusted = trusting(&tls.url(), files.write("ca.pem", ca.pem()));
    assert_five(&client(&trusted)).await;
    let skipped = Tls {
        insecure_skip_verify: true,
        ..Tls::default()
    };
    assert_five(&client(&Config {
        tls: skipped,
        ..config(&[&tls.url()])
    }))
    .await;

    let error = setup_error(&config(&[&tls.url()]));
    assert!(matches!(error, SetupError::NoRoots { .. }), "{error:?}");
    assert!(error.to_string().contains("prometheus.tls.caFile"), "{error}");
}
