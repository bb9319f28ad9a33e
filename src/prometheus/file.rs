//! Files that the configuration names.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// A bundle of all roots there are has some 200 KiB.
const LARGEST: u64 = 4 << 20;

/// What is in a file (blocking). A path may lead anywhere: a device gives bytes without end, and a pipe keeps who opens it
/// waiting for good.
///
/// # Errors
/// It cannot be read, is no file, or is larger than 4 MiB.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut content = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST {
        return Err(io::Error::other(format!(
            "it is larger than {} MiB",
            LARGEST >> 20
        )));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_not_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("file");
        for (size, fits) in [(0, true), (LARGEST, true), (LARGEST + 1, false)] {
            File::create(&file)
                .expect("a file")
                .set_len(size)
                .expect("its size");
            assert_eq!(read(&file).is_ok(), fits, "{size}");
        }
        let told = |path: &Path| read(path).expect_err("no file").to_string();
        assert_eq!(told(dir.path()), "it is no file");
        #[cfg(unix)]
        {
            assert_eq!(told(Path::new("/dev/zero")), "it is no file");
            let pipe = dir.path().join("pipe");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status();
            assert!(made.expect("mkfifo").success());
            assert_eq!(told(&pipe), "it is no file");
        }
    }
}
