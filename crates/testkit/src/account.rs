//! The account that Postgres runs under. It refuses root, so root hands it to somebody who may do less.

use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use nix::unistd::{AccessFlags, Gid, Uid, User, access, chown, geteuid};

use crate::cluster::Durability;

/// Whom the processes of Postgres belong to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Account {
    /// Whoever runs this.
    Own,
    /// Somebody else, since this is run by root.
    Other { uid: Uid, gid: Gid },
}

impl Account {
    pub(crate) fn choose() -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Own);
        }
        for name in ["postgres", "nobody"] {
            if let Some(user) = User::from_name(name).ok().flatten() {
                return Ok(Self::Other { uid: user.uid, gid: user.gid });
            }
        }
        anyhow::bail!(
            "Postgres does not run as root, and there is neither an account `postgres` nor `nobody` to run it as"
        )
    }

    /// Makes the command run under this account.
    pub(crate) fn take_on(self, command: &mut Command) {
        if let Self::Other { uid, gid } = self {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
    }

    /// Hands a file or folder over to this account.
    pub(crate) fn own(self, path: &Path) -> Result<()> {
        if let Self::Other { uid, gid } = self {
            chown(path, Some(uid), Some(gid))
                .with_context(|| format!("{} could not be handed over", path.display()))?;
        }
        Ok(())
    }

    /// Makes a folder that only this account, and root, can enter.
    pub(crate) fn make_dir(self, path: &Path) -> Result<()> {
        match std::fs::create_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("{} could not be made", path.display()));
            }
            _ => {}
        }
        self.own(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
            .with_context(|| format!("{} could not be closed to others", path.display()))
    }

    /// The nearest folder on the way to `path` that this account cannot pass through.
    pub(crate) fn is_stopped_at(self, path: &Path) -> Option<PathBuf> {
        let Self::Other { uid, gid } = self else { return None };
        let passes = |folder: &Path| {
            let Ok(about) = folder.metadata() else { return true };
            let bit = match () {
                () if about.uid() == uid.as_raw() => 0o100,
                () if about.gid() == gid.as_raw() => 0o010,
                () => 0o001,
            };
            about.mode() & bit != 0
        };
        path.ancestors().skip(1).find(|folder| !passes(folder)).map(Path::to_owned)
    }

    /// A folder for what is temporary that this account can reach, and make folders in. What need not survive a crash is
    /// kept in memory where there is plenty: a database is hundreds of files, and disks are slow to make them.
    pub(crate) fn temporary(self, durability: Durability) -> PathBuf {
        let reached = |folder: &&PathBuf| folder.is_dir() && self.is_stopped_at(&folder.join("child")).is_none();
        let memory = PathBuf::from("/dev/shm");
        if durability == Durability::None && reached(&&memory) && is_writable(&memory) && has_room(&memory) {
            return memory;
        }
        let usual = std::env::temp_dir();
        let others = ["/tmp", "/var/tmp"].map(PathBuf::from).into_iter().chain([memory]).collect::<Vec<_>>();
        std::iter::once(&usual).chain(&others).find(reached).unwrap_or(&usual).clone()
    }
}

/// Whether folders can be made in it: some containers mount their memory for reading only, or for root.
fn is_writable(folder: &Path) -> bool {
    access(folder, AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}

/// Whether there is space for the databases of a whole test run: containers often have a few megabytes only.
fn has_room(folder: &Path) -> bool {
    const PLENTY: u64 = 4 << 30;
    nix::sys::statvfs::statvfs(folder).is_ok_and(|about| about.blocks_available() * about.fragment_size() >= PLENTY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_where_no_folder_can_be_made() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(is_writable(folder.path()) && !is_writable(&folder.path().join("gone")));
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o555)).expect("set");
        assert_eq!(is_writable(folder.path()), geteuid().is_root(), "root passes everywhere");
    }

    #[test]
    fn knows_where_another_account_cannot_pass() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("closed/inner");
        std::fs::create_dir_all(&inner).expect("made");
        let set = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(folder.path().join("closed"), mode).expect("set");
        };
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("set");
        let stranger = Account::Other { uid: Uid::from_raw(54_321), gid: Gid::from_raw(54_321) };
        set(0o700);
        assert_eq!(stranger.is_stopped_at(&inner), Some(folder.path().join("closed")));
        assert_eq!(Account::Own.is_stopped_at(&inner), None);
        set(0o711);
        assert_eq!(stranger.is_stopped_at(&inner), None);
    }
}
