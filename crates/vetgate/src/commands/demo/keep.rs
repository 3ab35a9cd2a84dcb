//! A folder for what somebody wants to keep. It holds reports on people, so it is its owner's alone.

use std::cell::Cell;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::client::access::usage;

pub struct Folder {
    path: PathBuf,
    written: Cell<usize>,
}

impl Folder {
    /// Makes the folder, or takes an empty one, before anything else is done.
    pub fn take(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(usage(format!("{shown} cannot be made: the folder that it is to be in is not there")));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let mut entries =
                    fs::read_dir(path).map_err(|error| usage(format!("{shown} cannot be used: {error}")))?;
                if entries.next().is_some() {
                    return Err(usage(format!(
                        "{shown} is not empty, and nothing is overwritten. Name another folder"
                    )));
                }
            }
            Err(error) => return Err(usage(format!("{shown} cannot be made: {error}"))),
        }
        Ok(Self { path: path.to_owned(), written: Cell::new(0) })
    }

    /// Writes files of these names, each of which must be new.
    pub fn fill(&self, files: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
        for (name, bytes) in files {
            let path = self.path.join(name);
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
            let written = file.and_then(|mut file| file.write_all(bytes));
            written.with_context(|| format!("{} cannot be written", path.display()))?;
            self.written.set(self.written.get() + 1);
        }
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.written.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("kept");
        let folder = Folder::take(&path).unwrap();
        folder.fill(&[("report.html".to_owned(), b"<!doctype html>".to_vec())]).unwrap();
        assert_eq!((folder.count(), fs::read(path.join("report.html")).unwrap()), (1, b"<!doctype html>".to_vec()));
        assert!(folder.fill(&[("report.html".to_owned(), Vec::new())]).is_err());
        let told = |path: &Path| Folder::take(path).err().expect("refused").to_string();
        assert!(told(&path).contains("is not empty"));
        assert!(told(&path.join("report.html").join("x")).contains("cannot be made"));
        assert!(told(&parent.path().join("a/b")).contains("is not there"));
        assert!(Folder::take(parent.path()).is_err());
        fs::remove_file(path.join("report.html")).unwrap();
        assert!(Folder::take(&path).is_ok(), "an empty one will do");
    }
}
