//! Reading the file, and telling whether it or a file it names has changed.

use std::{
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Read},
    path::Path,
};

use super::{
    Config, ConfigError, Environment, Tls,
    error::Problem,
    parse::{LARGEST_FILE, parse, too_large},
};

/// A configuration and what tells it from the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// What the file says; the default is what holds without a file.
    pub config: Config,
    /// Of the file and of those it names.
    pub hash: Fingerprint,
}

/// Tells one state of the files from another. Holds for one process and one build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the configuration file: its content, or why it cannot be read.
    pub(super) file: u64,
    /// Of the contents of the certificates and keys it names; `None` while one of them cannot be read.
    pub(super) named: Option<u64>,
}

/// Reads the configuration in `file`.
///
/// The certificates and keys it names are hashed, not checked, and may be missing: whoever uses them says so.
///
/// # Errors
///
/// The file cannot be read, or something in it is wrong; all of that at once.
pub fn load(file: &Path, env: &Environment) -> Result<Loaded, ConfigError> {
    let content = read(file);
    let hash = content_hash(&content);
    let config = judge(file, content, env)?;
    let named = named_hash(&config.prometheus.tls);
    Ok(Loaded {
        config,
        hash: Fingerprint { file: hash, named },
    })
}

/// What is in `file`, up to a little more than is ever taken, so that no device or log file fills the memory.
pub(super) fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let most = u64::try_from(LARGEST_FILE).unwrap_or(u64::MAX).saturating_add(1);
    File::open(file)?.take(most).read_to_end(&mut content)?;
    Ok(content)
}

/// The configuration in `content`, which was read from `file`.
pub(super) fn judge(
    file: &Path,
    content: io::Result<Vec<u8>>,
    env: &Environment,
) -> Result<Config, ConfigError> {
    let content = content.map_err(|why| ConfigError::Unreadable {
        file: file.to_owned(),
        why,
    })?;
    let whole = |message: String| ConfigError::Invalid {
        file: file.to_owned(),
        problems: vec![Problem::of_file(message)],
    };
    if content.len() > LARGEST_FILE {
        // Told before the text is: the cut may have split a character.
        return Err(whole(too_large()));
    }
    let text = String::from_utf8(content)
        .map_err(|error| whole(format!("is not text in UTF-8: {}", error.utf8_error())))?;
    parse(file, &text, env)
}

/// Tells contents apart; a file that cannot be read is told apart by the kind of error.
pub(super) fn content_hash(content: &io::Result<Vec<u8>>) -> u64 {
    hashed(|hasher| content.as_ref().map_err(io::Error::kind).hash(hasher))
}

/// Tells the certificates and keys apart by their contents; `None` while one of them cannot be read.
pub(super) fn named_hash(tls: &Tls) -> Option<u64> {
    let client = tls.client.iter().flat_map(|(cert, key)| [cert, key]);
    let contents: Vec<Vec<u8>> = tls
        .ca_file
        .iter()
        .chain(client)
        .map(|file| read(file))
        .collect::<io::Result<_>>()
        .ok()?;
    Some(hashed(|hasher| contents.hash(hasher)))
}

fn hashed(feed: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    feed(&mut hasher);
    hasher.finish()
}
