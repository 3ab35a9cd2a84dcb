//! The private Postgres, through everything that happens to it: two runs at once, crashes, killed parents.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use sqlx::{Connection as _, PgConnection, Row as _};
use testkit::{DataDir, Durability, PrivatePostgres};

/// A folder that every account can reach.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("testkit-").tempdir_in("/tmp").expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("opened");
    folder
}

fn kept(folder: &tempfile::TempDir) -> DataDir {
    DataDir::Kept(folder.path().join("postgres"))
}

/// With data that is kept, but need not survive more than these tests do.
async fn start(folder: &tempfile::TempDir) -> PrivatePostgres {
    PrivatePostgres::start_with(kept(folder), Durability::None).await.expect("a Postgres")
}

async fn ask(postgres: &PrivatePostgres, question: &'static str) -> String {
    let mut connection = PgConnection::connect(postgres.url()).await.expect("connected");
    let row = sqlx::query(question).fetch_one(&mut connection).await.expect("an answer");
    row.get(0)
}

async fn tell(postgres: &PrivatePostgres, statement: &'static str) {
    let mut connection = PgConnection::connect(postgres.url()).await.expect("connected");
    sqlx::query(statement).execute(&mut connection).await.expect("done");
}

/// The processes that work in this folder, or in one inside of it, and are no mere remains.
fn processes_in(folder: &Path) -> Vec<i32> {
    let all = std::fs::read_dir("/proc").expect("processes").flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|id| {
        let works_in = std::fs::read_link(format!("/proc/{id}/cwd"));
        works_in.is_ok_and(|works_in| works_in.to_string_lossy().starts_with(folder.to_string_lossy().as_ref()))
    })
    .collect()
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_temporary_one_leaves_nothing_behind() {
    let postgres = PrivatePostgres::start(DataDir::Temporary).await.expect("a Postgres");
    assert_eq!(ask(&postgres, "SHOW fsync").await, "off");
    assert_eq!(ask(&postgres, "SHOW server_encoding").await, "UTF8");
    let folder = postgres.folder().to_owned();
    assert!(!processes_in(&folder).is_empty());
    drop(postgres);
    assert!(!folder.exists());
    assert_eq!(processes_in(&folder), [0; 0]);
}

#[tokio::test]
async fn two_at_once_do_not_meet() {
    let start = || PrivatePostgres::start_with(DataDir::Temporary, Durability::Full);
    let (one, other) = tokio::join!(start(), start());
    let (one, other) = (one.expect("a Postgres"), other.expect("a Postgres"));
    tell(&one, "CREATE TABLE here (x int)").await;
    tell(&other, "CREATE TABLE here (x int)").await;
    assert_eq!(ask(&other, "SHOW fsync").await, "on");
}

#[tokio::test]
async fn kept_data_is_found_again() {
    let folder = folder();
    let postgres = PrivatePostgres::start(kept(&folder)).await.expect("a Postgres");
    assert_eq!(ask(&postgres, "SHOW fsync").await, "on");
    tell(&postgres, "CREATE TABLE kept AS SELECT 'still here' AS word").await;
    postgres.stop().await;
    assert_eq!(processes_in(folder.path()), [0; 0]);

    let postgres = PrivatePostgres::start(kept(&folder)).await.expect("a Postgres");
    assert_eq!(ask(&postgres, "SELECT word FROM kept").await, "still here");
    postgres.stop().await;
}

#[tokio::test]
async fn runs_at_once_share_kept_data_until_the_last_one_leaves() {
    let folder = folder();
    let (first, second) = tokio::join!(start(&folder), start(&folder));
    tell(&first, "CREATE TABLE shared AS SELECT 'seen' AS word").await;
    assert_eq!(ask(&second, "SELECT word FROM shared").await, "seen");
    // Whichever of the two started it.
    drop(first);
    assert_eq!(ask(&second, "SELECT word FROM shared").await, "seen");
    let third = start(&folder).await;
    drop(second);
    assert_eq!(ask(&third, "SELECT word FROM shared").await, "seen");
    drop(third);
    // While the old server ends, a new run waits for that.
    let again = start(&folder).await;
    assert_eq!(ask(&again, "SELECT word FROM shared").await, "seen");
    drop(again);
    until("the server ends", || processes_in(folder.path()).is_empty()).await;
}

#[tokio::test]
async fn a_server_that_was_killed_with_its_guard_is_started_again() {
    let folder = folder();
    let postgres = start(&folder).await;
    tell(&postgres, "CREATE TABLE kept AS SELECT 'still here' AS word").await;
    for process in processes_in(folder.path()) {
        let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
    }
    until("all are dead", || processes_in(folder.path()).is_empty()).await;
    // Its id belongs to somebody else by now: to this test, which is alive.
    let pid_file = folder.path().join("postgres/data/postmaster.pid");
    let old = std::fs::read_to_string(&pid_file).expect("left behind");
    let (_, rest) = old.split_once('\n').expect("lines");
    std::fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).expect("written");

    let again = start(&folder).await;
    assert_eq!(ask(&again, "SELECT word FROM kept").await, "still here");
    drop(postgres);
    again.stop().await;
}

#[tokio::test]
async fn a_server_whose_guard_alone_was_killed_is_not_left_to_itself() {
    let folder = folder();
    let postgres = start(&folder).await;
    tell(&postgres, "CREATE TABLE kept AS SELECT 'still here' AS word").await;
    let guard = std::fs::read_to_string(folder.path().join("postgres/guard")).expect("a guard");
    let guard = guard.trim().parse().expect("an id");
    kill(Pid::from_raw(guard), Signal::SIGKILL).expect("killed");
    until("the guard is dead", || !processes_in(folder.path()).contains(&guard)).await;
    drop(postgres);
    let again = start(&folder).await;
    assert_eq!(ask(&again, "SELECT word FROM kept").await, "still here");
    again.stop().await;
    assert_eq!(processes_in(folder.path()), [0; 0]);
}

#[tokio::test]
async fn can_be_crashed_and_resumed() {
    let postgres = PrivatePostgres::start(DataDir::Temporary).await.expect("a Postgres");
    tell(&postgres, "CREATE TABLE kept AS SELECT 'still here' AS word").await;
    postgres.halt().await.expect("halted");
    assert!(PgConnection::connect(postgres.url()).await.is_err());
    postgres.resume().await.expect("resumed");
    assert_eq!(ask(&postgres, "SELECT word FROM kept").await, "still here");
    postgres.halt().await.expect("halted");
    let folder = postgres.folder().to_owned();
    drop(postgres);
    assert!(!folder.exists());
}

#[tokio::test]
async fn data_of_another_version_is_not_touched() {
    let folder = folder();
    std::fs::create_dir_all(folder.path().join("postgres/data")).expect("made");
    std::fs::write(folder.path().join("postgres/data/PG_VERSION"), "9\n").expect("written");
    let error = PrivatePostgres::start(kept(&folder)).await.err().expect("refused");
    assert!(format!("{error:#}").contains("made by Postgres 9"), "{error:#}");
}

#[tokio::test]
async fn a_broken_start_says_why() {
    let folder = folder();
    std::fs::create_dir_all(folder.path().join("postgres")).expect("made");
    start(&folder).await.stop().await;
    std::fs::write(folder.path().join("postgres/data/postgresql.conf"), "no_such_setting = 1\n").expect("written");
    let error = PrivatePostgres::start(kept(&folder)).await.err().expect("refused");
    assert!(format!("{error:#}").contains("no_such_setting"), "{error:#}");
    until("the guard ends", || processes_in(folder.path()).is_empty()).await;
}

/// Not a test: what the tests below run in a process of its own. It prints the folder of its server, and waits.
#[tokio::test]
#[ignore = "run by other tests in a process of its own"]
async fn hold_a_server() {
    let place = std::env::var_os("TESTKIT_KEEP").map_or(DataDir::Temporary, |path| DataDir::Kept(path.into()));
    let postgres = PrivatePostgres::start_with(place, Durability::None).await.expect("a Postgres");
    assert_eq!(ask(&postgres, "SELECT 'alive'").await, "alive");
    println!("FOLDER {}", postgres.folder().display());
    if std::env::var_os("TESTKIT_LEAVE").is_none() {
        std::future::pending::<()>().await;
    }
}

/// Runs [`hold_a_server`] until it says where its server is.
fn holder(set_up: impl FnOnce(&mut Command)) -> (std::process::Child, PathBuf) {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "hold_a_server", "--ignored", "--nocapture"]).stdout(Stdio::piped());
    set_up(&mut command);
    let mut child = command.spawn().expect("started");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let folder = lines.find_map(|line| line.split_once("FOLDER ").map(|(_, folder)| PathBuf::from(folder)));
    // Read on, or it would fail at its next line.
    std::thread::spawn(move || lines.for_each(drop));
    (child, folder.expect("a folder"))
}

#[tokio::test]
async fn a_killed_parent_leaves_nothing_behind() {
    let (mut parent, folder) = holder(|_| {});
    assert!(!processes_in(&folder).is_empty());
    parent.kill().expect("killed");
    parent.wait().expect("dead");
    until("the folder is gone", || !folder.exists()).await;
    until("its processes are gone", || processes_in(&folder).is_empty()).await;
}

#[tokio::test]
async fn a_killed_parent_does_not_take_the_server_from_others() {
    let folder = folder();
    let place = folder.path().join("postgres");
    let (mut parent, _) = holder(|command| {
        command.env("TESTKIT_KEEP", &place);
    });
    let joined = start(&folder).await;
    parent.kill().expect("killed");
    parent.wait().expect("dead");
    // The guard has noticed once the dead user is struck off.
    let holders = || std::fs::read_dir(place.join("holders")).map_or(0, Iterator::count);
    until("the dead one is struck off", || holders() == 1).await;
    assert_eq!(ask(&joined, "SELECT 'alive'").await, "alive");
    drop(joined);
    until("the server ends", || processes_in(folder.path()).is_empty()).await;
    start(&folder).await.stop().await;
}

#[tokio::test]
async fn needs_no_root() {
    // Built where only root can go, the test cannot be run by anybody else.
    let test = std::env::current_exe().expect("this test");
    let reachable = test.ancestors().all(|path| path.metadata().is_ok_and(|about| about.permissions().mode() & 1 == 1));
    if !geteuid().is_root() || !reachable {
        return;
    }
    let (mut child, folder) = holder(|command| {
        command.uid(65_534).gid(65_534).env("TESTKIT_LEAVE", "1").env("TMPDIR", "/tmp").current_dir("/");
    });
    assert!(child.wait().expect("ended").success());
    until("the folder is gone", || !folder.exists()).await;
}

#[tokio::test]
async fn root_is_helped_where_the_account_of_postgres_cannot_go() {
    if !geteuid().is_root() {
        return;
    }
    let folder = folder();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).expect("closed");
    let postgres = start(&folder).await;
    tell(&postgres, "CREATE TABLE kept AS SELECT 'still here' AS word").await;
    let elsewhere = postgres.folder().to_owned();
    assert!(!elsewhere.starts_with(folder.path()));
    postgres.stop().await;
    let postgres = start(&folder).await;
    assert_eq!(ask(&postgres, "SELECT word FROM kept").await, "still here");
    postgres.stop().await;
    std::fs::remove_dir_all(elsewhere).expect("removed");
}
