//! The files of a folder, and the objects in them.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{check::gather::GatherError, config};

/// The mend for templates.
pub(super) const RENDER: &str = "render it first: helm template RELEASE CHART > rendered.yaml";

/// Largest file that is read, in bytes.
const LARGEST_FILE: u64 = 16 << 20;
/// Most bytes in all files.
const LARGEST_FOLDER: u64 = 256 << 20;
/// Most files, and the deepest folder within a folder.
const MOST_FILES: usize = 10_000;
const DEEPEST: usize = 32;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Objects, each with its place.
    pub objects: Vec<(Value, String)>,
    /// What was left out, and why.
    pub skipped: Vec<String>,
}

/// Reads a folder, or one file.
pub(super) fn read(path: &Path) -> Result<Found, GatherError> {
    let mut files = Files {
        root: fs::canonicalize(path).map_err(|why| unreadable(path, why))?,
        found: Vec::new(),
        seen: BTreeSet::new(),
        skipped: Vec::new(),
    };
    if files.root.is_dir() {
        files.walk(path, 0)?;
    } else {
        files.found.push(path.to_owned());
    }
    let mut found = Found {
        objects: Vec::new(),
        skipped: files.skipped,
    };
    let mut left = LARGEST_FOLDER;
    for file in files.found {
        let text = text(&file, &mut left)?;
        objects(&file, &text, &mut found)?;
    }
    Ok(found)
}

fn unreadable(path: &Path, why: io::Error) -> GatherError {
    GatherError::Unreadable {
        path: path.to_owned(),
        why,
    }
}

fn manifest(path: &Path, problem: impl Into<String>) -> GatherError {
    GatherError::Manifest {
        place: path.display().to_string(),
        problem: problem.into(),
    }
}

/// The files to read, in order.
struct Files {
    /// Nothing outside is read.
    root: PathBuf,
    found: Vec<PathBuf>,
    /// Where they really are, so that each is read once.
    seen: BTreeSet<PathBuf>,
    skipped: Vec<String>,
}

impl Files {
    fn walk(&mut self, folder: &Path, depth: usize) -> Result<(), GatherError> {
        if depth > DEEPEST {
            return Err(manifest(
                folder,
                format!("stands in more than {DEEPEST} folders; name one further in"),
            ));
        }
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = entries.map_err(|why| unreadable(folder, why))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            // Editors', git's, and the folders that a mounted ConfigMap keeps its files in.
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let kind = entry.file_type().map_err(|why| unreadable(&path, why))?;
            if kind.is_dir() {
                self.walk(&path, depth + 1)?;
            } else if is_manifest(&path) {
                self.file(path, kind.is_symlink())?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: PathBuf, is_link: bool) -> Result<(), GatherError> {
        let real = fs::canonicalize(&path).map_err(|why| unreadable(&path, why))?;
        if !real.starts_with(&self.root) {
            let why = format!("{}: left out: the link leads out of the folder", path.display());
            self.skipped.push(why);
            return Ok(());
        }
        // A link to a folder: what is in it is found in its own place.
        if !real.is_file() || (is_link && self.seen.contains(&real)) {
            return Ok(());
        }
        if self.seen.insert(real) {
            self.found.push(path);
        }
        if self.found.len() > MOST_FILES {
            return Err(manifest(
                &self.root,
                format!("holds more than {MOST_FILES} files; name a smaller folder"),
            ));
        }
        Ok(())
    }
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| {
        ["yaml", "yml", "json"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// The text of a file, which counts against `left`.
fn text(path: &Path, left: &mut u64) -> Result<String, GatherError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|why| unreadable(path, why))?;
    let read = file.take(LARGEST_FILE + 1).read_to_end(&mut bytes);
    let read = read.map_err(|why| unreadable(path, why))? as u64;
    if read > LARGEST_FILE {
        return Err(manifest(
            path,
            format!("is larger than {} MiB; split it", LARGEST_FILE >> 20),
        ));
    }
    *left = left.checked_sub(read).ok_or_else(|| {
        let problem = format!(
            "with it the files come to more than {} MiB; name a smaller folder",
            LARGEST_FOLDER >> 20
        );
        manifest(path, problem)
    })?;
    String::from_utf8(bytes)
        .map_err(|error| manifest(path, format!("is not text in UTF-8: {}", error.utf8_error())))
}

/// The objects in a text.
fn objects(path: &Path, text: &str, found: &mut Found) -> Result<(), GatherError> {
    let is_json = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let documents = if is_json {
        let value = serde_json::from_str(text)
            .map_err(|error| manifest(path, format!("is not JSON: {error}; correct it there")))?;
        vec![value]
    } else {
        config::documents(text).map_err(|problem| {
            let at = problem
                .place
                .map(|at| format!(", line {}", at.line))
                .unwrap_or_default();
            let mend = if text.contains("{{") {
                format!("{} (it looks like a template of Helm: {RENDER})", problem.message)
            } else {
                format!("{}; correct it there", problem.message)
            };
            GatherError::Manifest {
                place: format!("{}{at}", path.display()),
                problem: mend,
            }
        })?
    };
    let several = documents.len() > 1;
    for (index, document) in documents.into_iter().enumerate() {
        let place = if several {
            format!("{}, document {}", path.display(), index + 1)
        } else {
            path.display().to_string()
        };
        unpack(document, place, found);
    }
    Ok(())
}

/// One object, or those of a list.
fn unpack(mut document: Value, place: String, found: &mut Found) {
    if document.is_null() {
        return;
    }
    let text = |key: &str| {
        document
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (version, kind) = (text("apiVersion"), text("kind"));
    if version.is_empty() || kind.is_empty() {
        found.skipped.push(format!(
            "{place}: left out: it has no apiVersion and kind, so it is no object of Kubernetes"
        ));
    } else if version.starts_with("kustomize.config.k8s.io/") {
        found.skipped.push(format!(
            "{place}: left out: kustomizations are not built here; kubectl kustomize FOLDER > rendered.yaml"
        ));
    } else if let Some(of) = kind.strip_suffix("List")
        && let Some(Value::Array(items)) = document.get_mut("items").map(Value::take)
    {
        for (index, mut item) in items.into_iter().enumerate() {
            // Items of a list of one kind do not repeat it.
            if let Some(fields) = item.as_object_mut()
                && !of.is_empty()
            {
                fields
                    .entry("apiVersion")
                    .or_insert_with(|| version.as_str().into());
                fields.entry("kind").or_insert_with(|| of.into());
            }
            unpack(item, format!("{place}, item {}", index + 1), found);
        }
    } else {
        found.objects.push((document, place));
    }
}
