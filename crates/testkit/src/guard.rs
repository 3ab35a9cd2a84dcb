//! The process that stands between a private Postgres and whoever started it, and outlives both.
//!
//! A program that is killed cannot stop its server. So the server is run by a small shell script, which waits for the end
//! of its standard input: the kernel closes that however this process ends.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};

use crate::account::Account;
use crate::cluster::Durability;
use crate::installation::Installation;

const SCRIPT: &str = include_str!("guard.sh");

pub(crate) struct Guard {
    child: Child,
    /// `None` once it was told to end.
    orders: Mutex<Option<ChildStdin>>,
}

/// What becomes of the folder when nobody uses the server any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    Remove,
}

impl Guard {
    pub(crate) fn start(
        account: Account,
        installation: &Installation,
        root: &Path,
        fate: Fate,
        durability: Durability,
        server_arguments: &[String],
    ) -> Result<Self> {
        let log = root.join("postgres.log");
        let log = File::create(&log).with_context(|| format!("{} could not be written", log.display()))?;
        let mut command = Command::new("/bin/sh");
        // What is to be kept is shut down in good order; the rest need not even be written out.
        let (stop_by, fate) = match fate {
            Fate::Keep => ("INT", "keep"),
            Fate::Remove => ("QUIT", "remove"),
        };
        let script = root.join("guard.sh");
        std::fs::write(&script, SCRIPT).with_context(|| format!("{} could not be written", script.display()))?;
        account.own(&script)?;
        let durable = if durability == Durability::Full { "yes" } else { "no" };
        command.args([script.as_path(), root, &installation.bin]);
        command.args([stop_by, fate, durable]).args(server_arguments).current_dir(root);
        // Messages in English, and none of the settings that Postgres takes from the environment.
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        // A group of its own: Ctrl-C in the terminal is for us, and the server is still needed to end in good order.
        command.process_group(0);
        account.take_on(&mut command);
        let mut child = command.spawn().context("/bin/sh could not be run")?;
        let orders = Mutex::new(child.stdin.take());
        Ok(Self { child, orders })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn order(&self, order: &str) -> Result<()> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let orders = orders.as_mut().context("the server was told to end already")?;
        writeln!(orders, "{order}").context("the guard of the server is gone")
    }

    /// Tells it to end once nobody else uses the server.
    pub(crate) fn release(&self) {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Waits for the end of the server and, where it is temporary, of its folder.
    pub(crate) fn wait(&mut self) {
        self.release();
        let _ = self.child.wait();
    }
}
