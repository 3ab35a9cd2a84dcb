//! What an operator can set: a TOML file, and over it the environment.
//!
//! Reading finds every fault at once, and each says where it is and what to do. What a command needs beyond that is
//! asked for by the command: [`Settings::for_serving`] refuses to go on without a database, a key to verify tokens with
//! and a key to encrypt with.

pub mod keys;
mod routes;
pub mod vendors;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use api::AuthSettings;
use engine::{CancelDuplicates, EngineSettings, Route};
use secrecy::{ExposeSecret as _, SecretString};
use store::Vault;
use url::Url;

pub use self::keys::Fault;
use self::keys::{Keys, Known};
use self::vendors::{Theary, Truework, Truora, VendorSettings};

/// As long as what the signature's hash puts out (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// The file that is read where no other is named, if it is there.
pub const DEFAULT_FILE: &str = "vetgate.toml";

/// Everything that can be set.
pub struct Settings {
    pub listen: SocketAddr,
    pub metrics_listen: Option<SocketAddr>,
    /// By which vendors and browsers reach the gateway. Without it vendors are told of no hooks.
    pub public_url: Option<Url>,
    pub database: DatabaseSettings,
    pub auth: AuthSettings,
    /// `id:base64-of-32-bytes`, comma-separated; the first one encrypts.
    pub encryption_keys: Option<SecretString>,
    pub truora: VendorSettings<Truora>,
    pub theary: VendorSettings<Theary>,
    pub truework: VendorSettings<Truework>,
    /// Over those that are built in.
    pub routes: Vec<Route>,
    /// What of it can be set, over the engine's own.
    pub engine: EngineSettings,
    /// Requests a second and tenant; `None`: no limit.
    pub request_rate: Option<f64>,
    pub log_format: LogFormat,
}

#[derive(Clone)]
pub struct DatabaseSettings {
    pub url: Option<SecretString>,
    pub max_connections: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Pretty,
}

/// Where settings are read from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A file that must be there.
    pub file: Option<PathBuf>,
    pub variables: Vec<(String, String)>,
}

impl Sources {
    /// The named file, or the default one if there is one, and this process' environment.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        // Variables that are not text cannot be ours.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { file, variables: std::env::vars_os().filter_map(text).collect() }
    }
}

/// Settings, and what there is to say about them.
pub struct Loaded {
    pub settings: Settings,
    pub warnings: Vec<String>,
    /// Every key there is.
    pub known: Vec<Known>,
}

/// Every fault of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError(pub Vec<Fault>);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "the settings cannot be used as they are:")?,
            faults => write!(f, "the settings cannot be used as they are, for {faults} reasons:")?,
        }
        self.0.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for SettingsError {}

/// What a gateway needs to serve.
pub struct Needs {
    pub database_url: SecretString,
    pub vault: Vault,
}

impl Settings {
    /// Reads the file and the variables over it.
    pub fn load(sources: &Sources) -> Result<Loaded, SettingsError> {
        let mut keys = Keys::default();
        let named = sources.file.as_deref();
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => keys.add_file(&name, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {}
            Err(error) => {
                let problem = format!("cannot be read: {error}. Name a settings file with --config.");
                return Err(SettingsError(vec![Fault { place: name, problem }]));
            }
        }
        keys.add_variables(sources.variables.iter().cloned());
        Self::read(keys)
    }

    /// Reads settings from a text alone.
    pub fn parse(name: &str, text: &str) -> Result<Loaded, SettingsError> {
        let mut keys = Keys::default();
        keys.add_file(name, text);
        Self::read(keys)
    }

    fn read(mut keys: Keys) -> Result<Loaded, SettingsError> {
        let settings = Self::take(&mut keys);
        let (known, faults, warnings) = keys.finish();
        match settings {
            Some(settings) if faults.is_empty() => Ok(Loaded { settings, warnings, known }),
            _ => Err(SettingsError(faults)),
        }
    }

    /// `None` only with a fault.
    fn take(keys: &mut Keys) -> Option<Self> {
        const ADDRESS: &str = "an IP address and port, such as 127.0.0.1:8080 or [::]:8080";
        let listen = keys.value("listen", Some("127.0.0.1:8080"), ADDRESS);
        let metrics_listen = keys.value("metrics_listen", None, ADDRESS);
        let public_url = keys.url("public_url", None);
        let url = keys.secret("database.url");
        let max_connections = keys.value("database.max_connections", Some("20"), "a whole number from 2 to 1000");
        if max_connections.is_some_and(|connections| !(2..=1000).contains(&connections)) {
            keys.fault("database.max_connections", "expected a whole number from 2 to 1000.");
        }
        let auth = take_auth(keys);
        let encryption_keys = take_encryption(keys);
        let truora = vendors::take(keys);
        let theary = vendors::take(keys);
        let truework = vendors::take(keys);
        let routes = routes::take(keys);
        let choices = [("ask", CancelDuplicates::Ask), ("auto", CancelDuplicates::Auto)];
        let cancel_duplicates = keys.word("reconcile.cancel_duplicates", "ask", &choices);
        let sweep_every = keys.duration_or_off("reconcile.sweep", "24h");
        let catch_up_every = keys.duration_or_off("reconcile.catch_up", "15m");
        let request_rate = vendors::take_rate(keys, "limits.rate");
        let log_format = keys.word("log.format", "json", &[("json", LogFormat::Json), ("pretty", LogFormat::Pretty)]);
        Some(Self {
            listen: listen?,
            metrics_listen,
            public_url,
            database: DatabaseSettings { url, max_connections: max_connections? },
            auth,
            encryption_keys,
            truora,
            theary,
            truework,
            routes,
            engine: EngineSettings {
                cancel_duplicates: cancel_duplicates?,
                sweep_every: sweep_every?,
                catch_up_every: catch_up_every?,
                ..EngineSettings::default()
            },
            request_rate,
            log_format: log_format?,
        })
    }

    /// What serving needs. Says all that is missing.
    pub fn for_serving(&self) -> Result<Needs, SettingsError> {
        let mut faults = Vec::new();
        let mut missing = |key: &str, problem: &str| {
            let place = if key == "database.url" {
                format!("{key} (variable DATABASE_URL)")
            } else {
                Keys::default().place(key)
            };
            faults.push(Fault { place, problem: problem.to_owned() });
        };
        if self.database.url.is_none() {
            missing(
                "database.url",
                "is not set. Give the address of a PostgreSQL 14 or newer, such as postgres://vetgate@db/vetgate. `vetgate dev` brings its own.",
            );
        }
        if self.auth.hs256_secret.is_none() && self.auth.jwks_url.is_none() {
            missing(
                "auth.hs256_secret",
                "no key to verify tokens with. Set it to the output of `openssl rand -hex 32`, or set auth.jwks_url.",
            );
        }
        if self.encryption_keys.is_none() {
            missing(
                "encryption.keys",
                "is not set. Give it as id:key, with a key from `openssl rand -base64 32`, and keep a copy: without it nothing can be read again.",
            );
        }
        let vault = self.encryption_keys.as_ref().and_then(|keys| Vault::parse(keys.expose_secret()).ok());
        match (self.database.url.clone(), vault) {
            (Some(database_url), Some(vault)) if faults.is_empty() => Ok(Needs { database_url, vault }),
            _ => Err(SettingsError(faults)),
        }
    }
}

fn take_auth(keys: &mut Keys) -> AuthSettings {
    let hs256_secret = keys.secret("auth.hs256_secret");
    let jwks_url = keys.url("auth.jwks_url", None);
    let auth = AuthSettings {
        hs256_secret,
        jwks_url,
        issuer: keys.text("auth.issuer", None),
        audience: keys.text("auth.audience", None),
    };
    if let Some(secret) = &auth.hs256_secret {
        let secret = secret.expose_secret().as_bytes();
        if secret.len() < SHORTEST_SECRET {
            let problem =
                format!("is shorter than {SHORTEST_SECRET} bytes. Set it to the output of `openssl rand -hex 32`.");
            keys.fault("auth.hs256_secret", problem);
        } else if keys::is_trivial(secret) {
            keys.fault("auth.hs256_secret", "is too easy to guess. Set it to the output of `openssl rand -hex 32`.");
        }
    }
    auth
}

fn take_encryption(keys: &mut Keys) -> Option<SecretString> {
    use base64::Engine as _;

    const KEYS: &str = "encryption.keys";
    let entries = keys.list(KEYS)?;
    for entry in &entries {
        let encoded = entry.split_once(':').map_or("", |(_, encoded)| encoded.trim());
        let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap_or_default();
        if keys::is_placeholder(entry) || (!bytes.is_empty() && keys::is_trivial(&bytes)) {
            keys.fault(KEYS, "holds an example's key. Make one by `openssl rand -base64 32`.");
            return None;
        }
    }
    let joined = entries.join(",");
    match Vault::parse(&joined) {
        Ok(_) => Some(joined.into()),
        Err(error) => {
            keys.fault(KEYS, format!("{error}."));
            None
        }
    }
}
