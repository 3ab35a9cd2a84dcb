//! A real Postgres in a folder of its own, for as long as it is used.

use std::fs::{self, File, TryLockError};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::unistd::Pid;
use sqlx::{Connection as _, PgConnection};
use tokio::time::{Instant, sleep};

use crate::account::Account;
use crate::guard::{Fate, Guard};
use crate::installation::Installation;

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataDir {
    /// In a new folder that is removed in the end, also if this process is killed.
    Temporary,
    /// In this folder, to be found again by the next run. Several runs at once share one server.
    Kept(PathBuf),
}

/// Whether a commit survives a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As in production: `fsync` is on.
    Full,
    /// For tests: fast, and only good until the machine crashes. A crash of Postgres alone loses nothing.
    None,
}

/// A running private Postgres. It stops when this is dropped, unless another run uses it too.
pub struct PrivatePostgres {
    root: PathBuf,
    url: String,
    /// Shows that we use it.
    holder: PathBuf,
    /// `None`: another run started the server.
    guard: Option<Guard>,
    /// Is there while the server is not: written by the guard.
    exited: PathBuf,
    temporary: bool,
}

/// How long a server may take to start or stop: long, since recovery after a crash counts too.
const PATIENCE: Duration = Duration::from_mins(2);

const PAUSE: Duration = Duration::from_millis(20);

/// The longest path of a socket that every system takes, less the name of Postgres' own.
const LONGEST_SOCKET_FOLDER: usize = 80;

impl PrivatePostgres {
    /// Starts one, or joins the run that has it started. Kept data is durable, temporary data is not.
    pub async fn start(place: DataDir) -> Result<Self> {
        let durability = if place == DataDir::Temporary { Durability::None } else { Durability::Full };
        Self::start_with(place, durability).await
    }

    pub async fn start_with(place: DataDir, durability: Durability) -> Result<Self> {
        let account = Account::choose()?;
        match place {
            DataDir::Temporary => {
                let installation = Installation::find(None)?;
                let folder =
                    tempfile::Builder::new().prefix("vetgate-pg-").tempdir_in(account.temporary(durability))?;
                account.own(folder.path())?;
                let postgres = launch(account, &installation, folder.path(), Fate::Remove, durability)?;
                // From here on it is the guard that removes the folder.
                let _ = folder.keep();
                postgres.ready().await
            }
            DataDir::Kept(path) => {
                let root = reachable(account, &std::path::absolute(path)?)?;
                account.make_dir(&root)?;
                start_or_join(account, &root, durability).await
            }
        }
    }

    /// The URL of its database `postgres`, for its superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder that holds it. Not the one that was asked for, where Postgres may not run as root and its account cannot
    /// reach that one.
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// The URL of another of its databases.
    pub fn url_of(&self, database: &str) -> String {
        url(&socket_folder(&self.root), database)
    }

    /// Crashes the server, as a fault: every connection breaks, and nobody is there until [`resume`](Self::resume).
    pub async fn halt(&self) -> Result<()> {
        self.order("halt")?;
        self.until("stopped", || self.exited.exists()).await
    }

    /// Starts the server after a [`halt`](Self::halt), and waits until it has recovered.
    pub async fn resume(&self) -> Result<()> {
        self.order("resume")?;
        self.until("started again", || !self.exited.exists()).await?;
        self.answers().await
    }

    /// Stops the server, unless another run uses it too, and waits until it is gone.
    pub async fn stop(mut self) {
        let _ = fs::remove_file(&self.holder);
        if let Some(mut guard) = self.guard.take() {
            guard.release();
            let _ = tokio::task::spawn_blocking(move || guard.wait()).await;
        }
    }

    fn order(&self, order: &str) -> Result<()> {
        self.guard.as_ref().context("another run started this server")?.order(order)
    }

    async fn ready(self) -> Result<Self> {
        self.answers().await?;
        Ok(self)
    }

    /// Waits until it answers.
    async fn answers(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match PgConnection::connect(&self.url).await {
                Ok(connection) => return Ok(connection.close().await?),
                Err(_) if self.exited.exists() => bail!("Postgres did not start: {}", self.last_words()),
                Err(error) if Instant::now() > deadline => {
                    return Err(error).with_context(|| format!("Postgres does not answer: {}", self.last_words()));
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    async fn until(&self, what: &str, is_so: impl Fn() -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            anyhow::ensure!(Instant::now() < deadline, "Postgres was not {what}: {}", self.last_words());
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// The end of its log.
    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.root.join("postgres.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.holder);
        if let Some(guard) = &mut self.guard {
            guard.release();
            // Quick, since nothing is written out. A kept server may be in use by others, and ends by itself.
            if self.temporary {
                guard.wait();
            }
        }
    }
}

/// The folder itself or, where the account cannot reach that, one that stands in for it.
fn reachable(account: Account, wanted: &Path) -> Result<PathBuf> {
    let make = |path: &Path| fs::create_dir_all(path).with_context(|| format!("{} could not be made", path.display()));
    if let Some(parent) = wanted.parent() {
        make(parent)?;
    }
    let Some(barrier) = account.is_stopped_at(wanted) else { return Ok(wanted.to_owned()) };
    let common = Path::new("/var/lib/vetgate");
    make(common)?;
    tracing::info!(
        wanted = %wanted.display(),
        barrier = %barrier.display(),
        "Postgres may not run as root, and its account cannot pass the barrier: the data is kept in /var/lib/vetgate"
    );
    Ok(common.join(format!("postgres-{:016x}", digest(wanted))))
}

fn digest(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

async fn start_or_join(account: Account, root: &Path, durability: Durability) -> Result<PrivatePostgres> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        anyhow::ensure!(Instant::now() < deadline, "another run neither uses nor leaves {}", root.display());
        {
            let lock = File::create(root.join("lock"))?;
            if lock_is_taken(&lock)? {
                sleep(PAUSE).await;
                continue;
            }
            if lives_in(root, &root.join("guard")) {
                if let Some(joined) = join(root)? {
                    return joined.ready().await;
                }
                // The last user has just left: its server is about to end.
            } else if let Some(orphan) = server(root) {
                // Its guard was killed. Nobody would ever stop it, so it is not joined.
                let _ = nix::sys::signal::kill(orphan, nix::sys::signal::Signal::SIGINT);
            } else {
                remove_stale(root)?;
                let installation = Installation::find(made_by(root))?;
                // The lock is held until the server answers: a second run waits for that rather than start another.
                return launch(account, &installation, root, Fate::Keep, durability)?.ready().await;
            }
        }
        sleep(PAUSE).await;
    }
}

fn lock_is_taken(lock: &File) -> Result<bool> {
    match lock.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error).context("the data folder could not be locked"),
    }
}

/// Starts a server where none is.
fn launch(
    account: Account,
    installation: &Installation,
    root: &Path,
    fate: Fate,
    durability: Durability,
) -> Result<PrivatePostgres> {
    let socket = socket_folder(root);
    for folder in [&root.join("holders"), &socket] {
        account.make_dir(folder)?;
    }
    let holder = hold(root)?.context("the folder of holders was just made, and is gone")?;
    let mut arguments = vec!["-k".to_owned(), socket.display().to_string()];
    let mut set = |setting: &str| arguments.extend(["-c".to_owned(), setting.to_owned()]);
    set("listen_addresses=");
    set("max_connections=300");
    set("timezone=UTC");
    if durability == Durability::None {
        set("fsync=off");
        set("full_page_writes=off");
    }
    let guard = Guard::start(account, installation, root, fate, durability, &arguments)?;
    let exited = root.join(format!("exited.{}", guard.id()));
    let (root, url) = (root.to_owned(), url(&socket, "postgres"));
    Ok(PrivatePostgres { root, url, holder, guard: Some(guard), exited, temporary: fate == Fate::Remove })
}

/// Joins the users of a server that another run started; `None` if the last of them has just left.
fn join(root: &Path) -> Result<Option<PrivatePostgres>> {
    let (Some(guard), Some(holder)) = (process_in(&root.join("guard")), hold(root)?) else { return Ok(None) };
    let exited = root.join(format!("exited.{guard}"));
    let (root, url) = (root.to_owned(), url(&socket_folder(root), "postgres"));
    Ok(Some(PrivatePostgres { root, url, holder, guard: None, exited, temporary: false }))
}

/// Registers a user of the server; `None` if it is about to end.
fn hold(root: &Path) -> Result<Option<PathBuf>> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let holder = root.join("holders").join(name);
    match File::create(&holder) {
        Ok(_) => Ok(Some(holder)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} could not be written", holder.display())),
    }
}

/// The living server of this folder.
fn server(root: &Path) -> Option<Pid> {
    let data = root.join("data");
    let file = data.join("postmaster.pid");
    lives_in(&data, &file).then(|| process_in(&file)).flatten()
}

/// Whether the process whose id begins the file is alive and works in the folder, as the guard and the server do. Ids are
/// used again, after a restart of a container at once, so another process of that id means a file that was left over.
fn lives_in(folder: &Path, file: &Path) -> bool {
    let Some(process) = process_in(file) else { return false };
    if Path::new("/proc/self/cwd").exists() {
        // Those of our account can be asked where they work; what is dead, even if nobody has buried it, works nowhere.
        let works_in = fs::read_link(format!("/proc/{process}/cwd"));
        return works_in.is_ok_and(|works_in| folder.canonicalize().is_ok_and(|folder| folder == works_in));
    }
    matches!(nix::sys::signal::kill(process, None), Ok(()) | Err(nix::errno::Errno::EPERM))
}

fn process_in(file: &Path) -> Option<Pid> {
    let text = fs::read_to_string(file).ok()?;
    let process = text.lines().next()?.trim().parse().ok().filter(|&process| process > 0)?;
    Some(Pid::from_raw(process))
}

/// Removes what a server leaves behind that was killed together with its guard.
fn remove_stale(root: &Path) -> Result<()> {
    let stale = |path: PathBuf| match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} could not be removed", path.display()))
        }
        _ => Ok(()),
    };
    stale(root.join("data/postmaster.pid"))?;
    stale(root.join("guard"))?;
    let inside = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in inside(&root.join("holders")).chain(inside(&socket_folder(root))) {
        stale(entry.path())?;
    }
    for entry in inside(root).filter(|entry| entry.file_name().to_string_lossy().starts_with("exited.")) {
        stale(entry.path())?;
    }
    Ok(())
}

/// The major version that made the data, if there is any.
fn made_by(root: &Path) -> Option<u32> {
    fs::read_to_string(root.join("data/PG_VERSION")).ok()?.trim().parse().ok()
}

/// Where the socket is: with the data, unless the path would be too long for a socket.
fn socket_folder(root: &Path) -> PathBuf {
    let beside = root.join("socket");
    if beside.as_os_str().len() <= LONGEST_SOCKET_FOLDER {
        return beside;
    }
    Path::new("/tmp").join(format!("vetgate-pg-{:016x}", digest(root)))
}

fn url(socket: &Path, database: &str) -> String {
    let mut url = format!("postgres://vetgate@localhost/{database}?host=");
    for byte in socket.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"-_./".contains(byte) {
            url.push(char::from(*byte));
        } else {
            url.extend(['%'].into_iter().chain(hex::encode_upper([*byte]).chars()));
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_folder_is_written_into_the_url_so_that_it_can_be_read_back() {
        let url = url(Path::new("/tmp/a b&c=é"), "postgres");
        let parsed = url::Url::parse(&url).expect("a URL");
        assert_eq!(parsed.path(), "/postgres");
        assert_eq!(parsed.query_pairs().collect::<Vec<_>>(), [("host".into(), "/tmp/a b&c=é".into())]);
    }

    #[test]
    fn a_long_path_gets_a_short_socket() {
        let long = Path::new("/srv").join("long".repeat(30));
        assert!(socket_folder(&long).as_os_str().len() <= LONGEST_SOCKET_FOLDER);
        assert_eq!(socket_folder(Path::new("/srv/data")), Path::new("/srv/data/socket"));
    }
}
