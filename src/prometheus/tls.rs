//! The HTTP client of one kind of URL, and the files that its trust comes from.

use std::{collections::BTreeMap, path::Path, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use reqwest::{Certificate, Identity, redirect};

use super::{error::SetupError, file};
use crate::{
    config::{Auth, Prometheus, Secret, Tls},
    text::tame,
};

const CA: &str = "prometheus.tls.caFile";
const CERT: &str = "prometheus.tls.certFile";
const KEY: &str = "prometheus.tls.keyFile";

/// What the files of `prometheus.tls` held at one time.
#[derive(PartialEq, Eq)]
pub(super) struct Material {
    ca: Option<Vec<u8>>,
    /// The client's certificate and key.
    client: Option<(Vec<u8>, Vec<u8>)>,
}

impl Material {
    /// Reads all files named; blocks.
    pub fn read(tls: &Tls) -> Result<Self, SetupError> {
        let read = |key, path: &Path| {
            file::read(path).map_err(|source| SetupError::Read {
                key,
                file: path.to_owned(),
                source,
            })
        };
        Ok(Self {
            ca: tls.ca_file.as_ref().map(|file| read(CA, file)).transpose()?,
            client: tls
                .client
                .as_ref()
                .map(|(cert, key)| Ok((read(CERT, cert)?, read(KEY, key)?)))
                .transpose()?,
        })
    }
}

/// A client for URLs of one scheme.
///
/// It follows no redirect (the headers of the configuration would go along, and they may be secrets) and
/// uses no proxy of the environment (these are there for the way out of a cluster; Prometheus is in it,
/// or has a URL of its own).
pub(super) fn client(
    prometheus: &Prometheus,
    https: bool,
    material: &Material,
) -> Result<reqwest::Client, SetupError> {
    let tls = &prometheus.tls;
    let headers = headers(&prometheus.headers, &prometheus.auth)?;
    let plain = || {
        reqwest::Client::builder()
            .user_agent(concat!("scale-from-zero/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers.clone())
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(30))
            .pool_max_idle_per_host(1)
            // Within the deadline of the whole exchange, and long enough for one lost SYN.
            .connect_timeout(prometheus.timeout * 3 / 4)
    };
    let trusting = || -> Result<reqwest::ClientBuilder, SetupError> {
        Ok(match (&tls.ca_file, &material.ca) {
            // Without this a machine that has no CA roots could not even ask a plain URL.
            _ if !https => plain().tls_certs_only([]),
            _ if tls.insecure_skip_verify => plain().tls_certs_only([]).tls_danger_accept_invalid_certs(true),
            (Some(file), Some(pem)) => plain().tls_certs_only(roots(file, pem)?),
            _ => plain(),
        })
    };
    // Built once without the client's certificate, so that an error can be laid at the right door.
    let client = trusting()?.build().map_err(|error| match (&tls.ca_file, https) {
        (Some(file), true) => SetupError::Pem {
            key: CA,
            file: file.clone(),
            problem: format!(
                "holds something that is no certificate ({}); mend the bundle",
                cause(&error)
            ),
        },
        (None, true) => SetupError::NoRoots { cause: cause(&error) },
        (_, false) => SetupError::Client { cause: cause(&error) },
    })?;
    let (Some((cert, key)), Some((cert_pem, key_pem))) = (&tls.client, &material.client) else {
        return Ok(client);
    };
    trusting()?
        .identity(identity(cert, cert_pem, key, key_pem)?)
        .build()
        .map_err(|error| SetupError::Pem {
            key: KEY,
            file: key.clone(),
            problem: format!(
                "and {CERT} {} do not belong together or hold something odd ({}); renew both",
                cert.display(),
                cause(&error)
            ),
        })
}

/// The roots in a PEM bundle, at least one.
fn roots(file: &Path, pem: &[u8]) -> Result<Vec<Certificate>, SetupError> {
    match Certificate::from_pem_bundle(pem) {
        Ok(roots) if !roots.is_empty() => Ok(roots),
        _ => Err(no_certificate(CA, file)),
    }
}

/// The client's certificate chain with its key.
fn identity(cert: &Path, cert_pem: &[u8], key: &Path, key_pem: &[u8]) -> Result<Identity, SetupError> {
    match Certificate::from_pem_bundle(cert_pem) {
        Ok(chain) if !chain.is_empty() => {}
        _ => return Err(no_certificate(CERT, cert)),
    }
    Identity::from_pem(&[cert_pem, b"\n", key_pem].concat()).map_err(|_| SetupError::Pem {
        key: KEY,
        file: key.to_owned(),
        problem: "holds no private key in PEM (PKCS#8, PKCS#1 or SEC1, without a passphrase)".into(),
    })
}

fn no_certificate(key: &'static str, file: &Path) -> SetupError {
    let problem = "holds no certificate in PEM; write -----BEGIN CERTIFICATE----- blocks into it".into();
    SetupError::Pem {
        key,
        file: file.to_owned(),
        problem,
    }
}

/// The configured headers, all held to be secrets.
fn headers(headers: &BTreeMap<String, Secret>, auth: &Auth) -> Result<HeaderMap, SetupError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, Secret(value)) in headers {
        let error = |problem| SetupError::Header {
            name: tame(name, 50),
            problem,
        };
        let key = HeaderName::try_from(name).map_err(|_| error("is no name of a header; correct it"))?;
        if key == AUTHORIZATION && *auth != Auth::None {
            return Err(error(
                "is set by bearerTokenFile or basicAuth already; keep one of them",
            ));
        }
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| error("has a value with bytes that cannot stand in a header; correct it"))?;
        value.set_sensitive(true);
        map.insert(key, value);
    }
    Ok(map)
}

/// The innermost cause, where the TLS library speaks.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    tame(&innermost.to_string(), 200)
}
