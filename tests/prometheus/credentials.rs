//! Tokens, passwords, headers and parameters.

use scale_from_zero::config::Secret;

use super::{
    server::{Reply, Server},
    *,
};

/// Lets in who brings this header.
async fn guarded(name: &'static str, value: &'static str) -> Server {
    Server::start(move |request| {
        if request.header(name) == Some(value) {
            answers_five(request)
        } else {
            Reply::new(401, "who are you?")
        }
    })
    .await
}

#[tokio::test]
async fn a_bearer_token_is_read_for_each_query() {
    let server = Server::start(|request| match request.header("authorization") {
        Some("Bearer token-1" | "Bearer token-2") => answers_five(request),
        _ => Reply::new(401, "Unauthorized"),
    })
    .await;
    let files = Files::new();
    let file = files.write("token", "\n token-1 \n");
    let auth = Auth::BearerTokenFile(file.clone());
    let prometheus = client(&Config {
        auth,
        ..config(&[&server.url()])
    });
    assert_five(&prometheus).await;

    files.write("token", "expired-token");
    let error = assert_fails(
        &prometheus,
        Reason::Unauthorized,
        &["401", "prometheus.bearerTokenFile"],
    )
    .await;
    assert!(!format!("{error:?}").contains("expired-token"));

    files.write("token", "token-2");
    assert_five(&prometheus).await;
    let sent: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.header("authorization").unwrap().to_owned())
        .collect();
    assert_eq!(sent, ["Bearer token-1", "Bearer expired-token", "Bearer token-2"]);
}

#[tokio::test]
async fn an_unusable_token_file_is_named_and_nothing_is_sent() {
    let server = Server::start(answers_five).await;
    let files = Files::new();
    let file = files.path("token");
    let auth = Auth::BearerTokenFile(file.clone());
    let prometheus = client(&Config {
        auth,
        ..config(&[&server.url(), &server.url()])
    });
    let name = file.to_str().unwrap();
    let says = [
        "prometheus.bearerTokenFile: ",
        name,
        "cannot be read",
        "mount the file",
    ];
    assert_fails(&prometheus, Reason::Credentials, &says).await;
    for (content, says) in [
        (&b" \n"[..], "is empty"),
        (b"two\nlines", "bytes that cannot stand in a header"),
        (b"nul\0", "bytes that cannot stand in a header"),
        (b"\xff\xfe", "cannot be read"),
    ] {
        files.write("token", content);
        let error = assert_fails(&prometheus, Reason::Credentials, &[name, says]).await;
        assert_eq!(
            error.to_string().matches(says).count(),
            1,
            "asked once, not for each server: {error}"
        );
    }
    // Without end.
    let zeros = Auth::BearerTokenFile("/dev/zero".into());
    let endless = client(&Config {
        auth: zeros,
        ..config(&[&server.url()])
    });
    assert_fails(
        &endless,
        Reason::Credentials,
        &["/dev/zero cannot be read", "no file"],
    )
    .await;
    assert_eq!(server.connections(), 0);
    files.write("token", "good");
    assert_five(&prometheus).await;
}

#[tokio::test]
async fn basic_authentication_sends_user_and_password_as_they_are() {
    // Of "user:p:a%41 ss".
    let server = guarded("authorization", "Basic dXNlcjpwOmElNDEgc3M=").await;
    let files = Files::new();
    let auth = Auth::Basic {
        username: "user".into(),
        password_file: files.write("password", "p:a%41 ss\n"),
    };
    let prometheus = client(&Config {
        auth,
        ..config(&[&server.url()])
    });
    assert_five(&prometheus).await;

    files.write("password", "wrong-password");
    let error = assert_fails(&prometheus, Reason::Unauthorized, &["basicAuth"]).await;
    assert!(!format!("{error:?}{prometheus:?}").contains("wrong-password"));
    files.write("password", "");
    assert_fails(
        &prometheus,
        Reason::Credentials,
        &["prometheus.basicAuth.passwordFile", "is empty"],
    )
    .await;
}

#[tokio::test]
async fn user_information_in_the_url_is_used_and_never_shown() {
    let server = guarded("authorization", "Basic dXNlcjpzM2NyM3Q=").await;
    let url = server.url().replace("//", "//user:s3cr3t@");
    let prometheus = client(&config(&[&url]));
    assert_five(&prometheus).await;

    let url = url.replace("s3cr3t", "0ther");
    let prometheus = client(&config(&[&url]));
    let error = assert_fails(&prometheus, Reason::Unauthorized, &["401"]).await;
    assert_eq!(error.url, server.url());
    server.stop().await;
    let error = assert_fails(&prometheus, Reason::Connect, &["cannot connect"]).await;
    let setup = setup_error(&config(&[&format!("{url}/?x=0ther")]));
    for text in [
        format!("{error} {error:?}"),
        format!("{setup} {setup:?}"),
        format!("{prometheus:?}"),
    ] {
        assert!(!text.contains("0ther"), "{text}");
    }
}

#[tokio::test]
async fn what_is_configured_wins_over_user_information_in_the_url() {
    let server = guarded("authorization", "Bearer t").await;
    let files = Files::new();
    let auth = Auth::BearerTokenFile(files.write("token", "t"));
    let url = server.url().replace("//", "//user:s3cr3t@");
    assert_five(&client(&Config {
        auth,
        ..config(&[&url])
    }))
    .await;
}

#[tokio::test]
async fn headers_and_parameters_go_along() {
    let server = Server::start(|request| {
        let tenant = request.header("x-scope-orgid") == Some("tenant é");
        let whole =
            request.param("partial_response") == Some("false") && request.param("a&b") == Some("c=d ");
        if tenant && whole {
            answers_five(request)
        } else {
            Reply::new(401, "no org id")
        }
    })
    .await;
    let config = Config {
        headers: [("X-Scope-OrgID".into(), Secret("tenant é".into()))].into(),
        params: [
            ("partial_response".into(), "false".into()),
            ("a&b".into(), "c=d ".into()),
        ]
        .into(),
        ..config(&[&server.url()])
    };
    assert_five(&client(&config)).await;
}

#[tokio::test]
async fn no_secret_header_shows_in_an_error() {
    let server = Server::start(|_| Reply::new(500, "")).await;
    let secret = || Secret("s3cr3t".into());
    let prometheus = client(&Config {
        headers: [("X-Key".into(), secret())].into(),
        ..config(&[&server.url()])
    });
    let error = assert_fails(&prometheus, Reason::HttpStatus, &["500"]).await;
    assert!(!format!("{error} {error:?} {prometheus:?}").contains("s3cr3t"));
    assert_eq!(server.requests()[0].header("x-key"), Some("s3cr3t"));
}

#[test]
fn headers_and_parameters_that_cannot_be_are_named() {
    let header = |name: &str, value: &str| Config {
        headers: [(name.to_owned(), Secret(value.into()))].into(),
        ..config(&["http://localhost"])
    };
    for (config, says) in [
        (
            header("a b", "x"),
            "prometheus.headers: \"a b\" is no name of a header",
        ),
        (
            header("a", "s3cr3t\n"),
            "prometheus.headers: \"a\" has a value with bytes",
        ),
        (
            Config {
                auth: Auth::BearerTokenFile("t".into()),
                ..header("authorization", "s3cr3t")
            },
            "is set by bearerTokenFile or basicAuth already",
        ),
        (
            Config {
                params: [("time".into(), "1".into())].into(),
                ..config(&["http://localhost"])
            },
            "prometheus.params: \"time\" is set by scale-from-zero itself",
        ),
    ] {
        let error = setup_error(&config);
        assert!(error.to_string().contains(says), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
    }
}

#[tokio::test]
async fn a_redirect_takes_no_credentials_elsewhere() {
    let elsewhere = Server::start(answers_five).await;
    let to = format!("{}/api/v1/query?token=s3cr3t", elsewhere.url());
    let server = Server::start(move |_| Reply::new(307, "").with("location", to.clone())).await;
    let prometheus = client(&config(&[&server.url()]));
    let says = ["307", &elsewhere.url(), "not followed", "prometheus.url"];
    let error = assert_fails(&prometheus, Reason::Redirect, &says).await;
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
    assert_eq!(elsewhere.connections(), 0);
}
