//! Links within the project: the file is there, and the heading.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{documents, project, read};

/// What one document offers and wants.
#[derive(Debug, Default)]
struct Document {
    anchors: BTreeSet<String>,
    links: Vec<String>,
}

fn document(text: &str) -> Document {
    let mut document = Document::default();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap_or_default());
                // A second heading of the same words is told apart by a number.
                let mut anchor = slug.clone();
                let mut number = 0;
                while !document.anchors.insert(anchor.clone()) {
                    number += 1;
                    anchor = format!("{slug}-{number}");
                }
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&words);
                }
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                document.links.push(dest_url.to_string());
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                for name in ["src=\"", "href=\"", "srcset=\""] {
                    let found = html.split(name).skip(1).filter_map(|rest| rest.split('"').next());
                    document.links.extend(found.map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    document
}

/// A heading's anchor, as GitHub makes it.
fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

/// `to`, seen from the document `from`, as a path within the project.
fn resolved(from: &str, to: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in Path::new(from).parent().unwrap().join(to).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(part) => path.push(part),
            _ => {}
        }
    }
    path
}

/// What is wrong with the links of these documents, by name.
fn broken(documents: &BTreeMap<String, Document>, is_there: impl Fn(&Path) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, document) in documents {
        for link in document.links.iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = if file.is_empty() {
                PathBuf::from(name)
            } else {
                resolved(name, file)
            };
            if !is_there(&path) {
                wrong.push(format!("{name}: {link}: no such file"));
            } else if !anchor.is_empty()
                && documents
                    .get(path.to_str().unwrap())
                    .is_none_or(|target| !target.anchors.contains(anchor))
            {
                wrong.push(format!("{name}: {link}: no such heading"));
            }
        }
    }
    wrong
}

#[test]
fn every_link_leads_somewhere() {
    let all: BTreeMap<_, _> = documents()
        .into_iter()
        .map(|name| {
            let found = document(&read(&name));
            (name, found)
        })
        .collect();
    let links: usize = all.values().map(|document| document.links.len()).sum();
    assert!(links > 20, "the links are found: {links}");
    let wrong = broken(&all, |path| project(path.to_str().unwrap()).exists());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_leads_nowhere_is_found() {
    let readme = "# One `two`: three, *four*\n# Again\n# Again\n[a](docs/a.md) [b](docs/b.md#x) <img src=\"docs/no.svg\">\n\
                  [c](#one-two-three-four) [d](#again-1) [e](#nothing) [f](https://example.com/#x)\n\n```\n[g](g)\n```\n";
    let a = "[up](../README.md#again) [side](b.md)\n";
    let all = [("README.md", readme), ("docs/a.md", a)];
    let all = all.map(|(name, text)| (name.to_owned(), document(text)));
    let is_there = |path: &Path| path == Path::new("README.md") || path == Path::new("docs/a.md");
    assert_eq!(
        broken(&all.into(), is_there),
        [
            "README.md: docs/b.md#x: no such file",
            "README.md: docs/no.svg: no such file",
            "README.md: #nothing: no such heading",
            "docs/a.md: b.md: no such file",
        ]
    );
}
