//! `prometheus:`: where it is and how to be let in.

use std::{collections::BTreeMap, path::PathBuf};

use http::{HeaderName, HeaderValue, Uri};

use super::{check, names};
use crate::config::{
    Auth, Prometheus, Secret, Tls,
    error::Problems,
    key::{Key, quoted},
    raw,
    scalar::{Given, Hidden},
    words::HIDDEN,
};

/// The section, with `default` where the file says nothing.
pub(super) fn section(raw: raw::Prometheus, default: Prometheus, problems: &mut Problems) -> Prometheus {
    Prometheus {
        urls: urls(raw.url.as_ref(), raw.urls, problems).unwrap_or(default.urls),
        timeout: check::span(
            "prometheus.timeout",
            raw.timeout,
            default.timeout,
            check::ABOVE_ZERO,
            problems,
        ),
        auth: auth(raw.bearer_token_file, raw.basic_auth, problems),
        tls: tls(raw.tls, problems),
        headers: headers(raw.headers.unwrap_or_default(), problems),
        params: params(raw.params, problems),
    }
}

fn urls(
    one: Option<&Given<String>>,
    many: Option<Vec<Given<String>>>,
    problems: &mut Problems,
) -> Option<Vec<Uri>> {
    let key = Key::of("prometheus.urls");
    if one.is_some() && many.is_some() {
        problems.add(key.clone(), "stands beside prometheus.url; write one of the two");
    }
    let mut urls = Vec::new();
    if let Some(Given(text)) = one {
        urls.extend(checked_url(Key::of("prometheus.url"), text, problems));
    }
    if let Some(many) = many {
        for (index, text) in check::list("prometheus.urls", many, Some("URL"), problems)
            .iter()
            .enumerate()
        {
            urls.extend(checked_url(key.item(index), text, problems));
        }
    }
    (!urls.is_empty()).then_some(urls)
}

fn checked_url(key: Key, text: &str, problems: &mut Problems) -> Option<Uri> {
    url(text).map_err(|message| problems.add(key, message)).ok()
}

const EXAMPLE: &str = "write e.g. http://prometheus.monitoring.svc:9090";

/// A base URL, or what is wrong with it. User info and query may be secrets, so they are never repeated.
fn url(text: &str) -> Result<Uri, String> {
    if text.contains('@') {
        return Err("holds a user name or password; write those under prometheus.basicAuth".to_owned());
    }
    if text.contains(['?', '#']) {
        return Err(
            "holds a query or fragment; write the base URL, and parameters under prometheus.params"
                .to_owned(),
        );
    }
    let wrong = |what: &str, mend: &str| Err(format!("{} {what}; {mend}", quoted(text)));
    let Ok(uri) = text.parse::<Uri>() else {
        return wrong("is not a URL", EXAMPLE);
    };
    match uri.scheme_str() {
        Some("http" | "https") => {}
        Some(_) => return wrong("has a scheme other than http and https", EXAMPLE),
        None => return wrong("has no scheme", EXAMPLE),
    }
    if uri.host().is_none_or(str::is_empty) {
        return wrong("names no host", EXAMPLE);
    }
    // `port` is also `None` where there is one out of range, or none after the colon.
    let host = uri.host().unwrap_or_default();
    let has_port = uri.authority().is_some_and(|a| a.as_str().len() > host.len());
    if has_port && matches!(uri.port_u16(), None | Some(0)) {
        return wrong("has a port that is not a number from 1 to 65535", EXAMPLE);
    }
    let path = uri.path().trim_end_matches('/');
    if path.ends_with("/api/v1") || path.ends_with("/api/v1/query") {
        return wrong(
            "is the address of the API",
            "write the base URL, what stands before /api/v1",
        );
    }
    Ok(uri)
}

fn auth(token: Option<Given<String>>, basic: raw::BasicAuth, problems: &mut Problems) -> Auth {
    let section = Key::of("prometheus.basicAuth");
    // A key that is there but wrong has been told already, and is not missing.
    let told = problems.touch(&section);
    let has_basic = basic.username.is_some() || basic.password_file.is_some();
    if token.is_some() && has_basic {
        problems.add(
            section.clone(),
            "stands beside prometheus.bearerTokenFile; a query can carry only one: remove the other",
        );
    }
    let username = check::text(
        "prometheus.basicAuth.username",
        basic.username,
        &USERNAME,
        problems,
    );
    let password_file = check::text(
        "prometheus.basicAuth.passwordFile",
        basic.password_file,
        &names::FILE,
        problems,
    );
    match (username, password_file) {
        (Some(username), Some(password_file)) => Auth::Basic {
            username,
            password_file: PathBuf::from(password_file),
        },
        (Some(_), None) if !told => {
            problems.add(
                section.name("passwordFile"),
                "is missing; write the path of the file that holds the password",
            );
            Auth::None
        }
        (None, Some(_)) if !told => {
            problems.add(
                section.name("username"),
                "is missing; write the user that the password belongs to",
            );
            Auth::None
        }
        _ => check::text("prometheus.bearerTokenFile", token, &names::FILE, problems)
            .map_or(Auth::None, |file| Auth::BearerTokenFile(PathBuf::from(file))),
    }
}

const USERNAME: names::Rule = names::Rule {
    wanted: "a user name; write one without : and control characters, basic authentication cannot carry them",
    holds: |name| !name.is_empty() && !name.contains(|c: char| c == ':' || c.is_control()),
};

fn tls(raw: raw::Tls, problems: &mut Problems) -> Tls {
    let section = Key::of("prometheus.tls");
    let told = problems.touch(&section);
    let ca_file = check::text("prometheus.tls.caFile", raw.ca_file, &names::FILE, problems);
    let cert = check::text("prometheus.tls.certFile", raw.cert_file, &names::FILE, problems);
    let key = check::text("prometheus.tls.keyFile", raw.key_file, &names::FILE, problems);
    match (&cert, &key) {
        (Some(_), None) if !told => {
            problems.add(
                section.name("keyFile"),
                "is missing; certFile needs the key that belongs to it",
            );
        }
        (None, Some(_)) if !told => {
            problems.add(
                section.name("certFile"),
                "is missing; keyFile needs the certificate that belongs to it",
            );
        }
        _ => {}
    }
    Tls {
        ca_file: ca_file.map(PathBuf::from),
        client: cert.map(PathBuf::from).zip(key.map(PathBuf::from)),
        insecure_skip_verify: raw.insecure_skip_verify.is_some_and(|Given(skip)| skip),
    }
}

fn headers(raw: BTreeMap<String, Given<Hidden>>, problems: &mut Problems) -> BTreeMap<String, Secret> {
    let section = Key::of("prometheus.headers");
    let mut headers: BTreeMap<String, Secret> = BTreeMap::new();
    for (name, Given(Hidden(value))) in raw {
        if let Some(refusal) = header_refusal(&name) {
            problems.add(section.name(&name), refusal);
        } else if let Some(twin) = headers.keys().find(|known| known.eq_ignore_ascii_case(&name)) {
            problems.add(
                section.name(&name),
                format!("is the same header as {twin}; remove one"),
            );
        }
        if value == HIDDEN {
            problems.add(section.name(&name), still_hidden());
        }
        if HeaderValue::from_str(&value).is_err() {
            problems.add(
                section.name(&name),
                "has a value that a header cannot carry; use printable ASCII on one line, without a line end",
            );
        }
        headers.insert(name, Secret(value));
    }
    headers
}

fn header_refusal(name: &str) -> Option<String> {
    let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
        return Some("is not a header name; use letters, digits and -".to_owned());
    };
    match header.as_str() {
        "authorization" => {
            Some("does not belong here, where it could not be rotated; use prometheus.bearerTokenFile or basicAuth".to_owned())
        }
        "accept-encoding" | "connection" | "content-length" | "content-type" | "host" | "transfer-encoding" => {
            Some("is set by the query itself; remove it".to_owned())
        }
        _ => None,
    }
}

fn params(
    given: Option<BTreeMap<String, Given<String>>>,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    let params = check::map("prometheus.params", given, param_refusal, problems);
    for (name, _) in params.iter().filter(|(_, value)| *value == HIDDEN) {
        problems.add(Key::of("prometheus.params").name(name), still_hidden());
    }
    params
}

/// What is said of a value that `config` has hidden, in a file made of what it printed.
fn still_hidden() -> String {
    format!("is {HIDDEN}, which stands for a value that `config` does not show; write the value")
}

fn param_refusal(name: &str) -> Option<String> {
    match name {
        "" => Some("is not a parameter; write its name".to_owned()),
        "query" => Some("is set by the query itself; use query.expression for one of your own".to_owned()),
        "time" => Some("is set by the query itself, which always asks for now; remove it".to_owned()),
        "timeout" => Some("is set by the query itself; use prometheus.timeout".to_owned()),
        _ => None,
    }
}
