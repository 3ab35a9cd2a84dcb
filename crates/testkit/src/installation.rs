//! Finding the Postgres that is installed on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

/// The oldest Postgres that the gateway works with.
const OLDEST: u32 = 14;

/// A Postgres of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installation {
    /// Where `postgres` and `initdb` are.
    pub(crate) bin: PathBuf,
    pub(crate) major: u32,
}

impl Installation {
    /// The first that will do: the one of `pg_config`, the newest of Debian's, the newest of Red Hat's, the one in `PATH`.
    /// Data that exists already needs the very same major version.
    pub(crate) fn find(major: Option<u32>) -> Result<Self> {
        let all = Self::all();
        let suits = |found: &&Self| major.map_or(found.major >= OLDEST, |major| found.major == major);
        if let Some(found) = all.iter().find(suits) {
            return Ok(found.clone());
        }
        let versions: Vec<_> = all.iter().map(|found| found.major.to_string()).collect();
        let installed = if versions.is_empty() { "none".to_owned() } else { versions.join(", ") };
        match major {
            Some(major) => bail!(
                "the data was made by Postgres {major}, which is not installed (installed: {installed}); install it \
                 (Debian, Ubuntu: apt-get install postgresql-{major}), or remove the data"
            ),
            None => bail!(
                "no Postgres {OLDEST} or newer is installed (installed: {installed}); install one (Debian, Ubuntu: \
                 apt-get install postgresql; Fedora: dnf install postgresql-server), or set DATABASE_URL"
            ),
        }
    }

    fn all() -> Vec<Self> {
        let mut folders = Vec::new();
        folders.extend(output(Path::new("pg_config"), "--bindir").map(PathBuf::from));
        folders.extend(newest_first("/usr/lib/postgresql", "", "bin"));
        folders.extend(newest_first("/usr", "pgsql-", "bin"));
        folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
        let mut all: Vec<Self> = Vec::new();
        for found in folders.iter().filter_map(|folder| Self::at(folder)) {
            if !all.contains(&found) {
                all.push(found);
            }
        }
        all
    }

    fn at(folder: &Path) -> Option<Self> {
        // Links are followed, so that a folder of links to the same binaries does not count twice.
        let bin = folder.join("postgres").canonicalize().ok()?.parent()?.to_owned();
        if !bin.join("initdb").is_file() {
            return None;
        }
        let major = major(&output(&bin.join("postgres"), "--version")?)?;
        Some(Self { bin, major })
    }
}

fn output(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, or in `… 18beta1`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// `<folder>/<prefix><version>/<inner>` for each version that is there.
fn newest_first(folder: &str, prefix: &str, inner: &str) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path().join(inner)))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("no number"), None);
    }

    #[test]
    fn says_what_to_install() {
        let missing = Installation::find(Some(9)).expect_err("nobody has it");
        assert!(missing.to_string().contains("apt-get install postgresql-9"), "{missing}");
    }

    #[test]
    fn sorts_by_number() {
        let folder = tempfile::tempdir().expect("a folder");
        for version in ["9", "15", "16", "other"] {
            std::fs::create_dir(folder.path().join(version)).expect("made");
        }
        let found = newest_first(folder.path().to_str().expect("a path"), "", "bin");
        let expected = ["16", "15", "9"].map(|version| folder.path().join(version).join("bin"));
        assert_eq!(found, expected);
    }
}
