//! The status page: one document, with its style and script in it, that fetches nothing but this listener's own APIs.
//!
//! The Content-Security-Policy names the style and the script by their digests, so that nothing else runs, whatever
//! a model is called.

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::Bytes,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

const HTML: &str = include_str!("index.html");
const STYLE: &str = include_str!("page.css");
/// In the order in which they run.
const SCRIPTS: [&str; 8] = [
    include_str!("dom.js"),
    include_str!("feed.js"),
    include_str!("spark.js"),
    include_str!("overview.js"),
    include_str!("table.js"),
    include_str!("details.js"),
    include_str!("happened.js"),
    include_str!("main.js"),
];

/// The page as it is served.
#[derive(Clone, Debug)]
pub(super) struct Page {
    html: Bytes,
    policy: String,
}

impl Page {
    /// The page with this script after its own.
    pub(super) fn new(script: &str) -> Self {
        // In a scope of its own: what comes after it may use the same names.
        let own = SCRIPTS.concat();
        let script = format!("(() => {{\n\"use strict\";\n{own}}})();\n{script}");
        let html = HTML.replace("/*STYLE*/", STYLE).replace("/*SCRIPT*/", &script);
        let policy = format!(
            "default-src 'none'; script-src '{}'; style-src '{}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            source(&script),
            source(STYLE),
        );
        Self {
            html: html.into(),
            policy,
        }
    }

    /// It, with what browsers are to hold it to.
    pub(super) fn answer(&self) -> Response {
        let mut answer = self.html.clone().into_response();
        let headers = answer.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        // Digests and words of our own, which make a header.
        if let Ok(policy) = HeaderValue::from_str(&self.policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        for (name, value) in [
            ("cross-origin-opener-policy", "same-origin"),
            ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        answer
    }
}

/// An inline text, as a policy names it.
fn source(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_a_text_by_its_digest() {
        // The example of the specification (CSP level 3, section 8.3).
        assert_eq!(
            source("alert('Hello, world.');"),
            "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
        );
    }

    #[test]
    fn style_and_script_stand_in_the_page_as_they_were_digested() {
        let page = Page::new("console.log('demo');");
        let html = std::str::from_utf8(&page.html).expect("text");
        for (tag, end) in [("<style>", "</style>"), ("<script>", "</script>")] {
            let (_, rest) = html.split_once(tag).expect(tag);
            let (text, _) = rest.split_once(end).expect(end);
            assert_eq!(html.matches(tag).count(), 1);
            assert!(page.policy.contains(&source(text)), "{tag}");
        }
        assert!(
            html.contains("console.log('demo');\n</script>")
                || html.contains("console.log('demo');</script>")
        );
    }

    #[test]
    fn it_fetches_nothing_from_elsewhere() {
        let page = Page::new("");
        let html = std::str::from_utf8(&page.html).expect("text");
        for part in [
            "src=",
            "@import",
            "url(",
            "innerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            assert!(!html.contains(part), "{part}");
        }
        // Names of namespaces and our own pages for people are no fetches.
        for address in html
            .match_indices("http")
            .map(|(at, _)| &html[at..html.len().min(at + 40)])
        {
            assert!(address.starts_with("http://www.w3.org/"), "{address}");
        }
    }
}
