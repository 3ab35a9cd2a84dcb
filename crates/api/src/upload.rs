//! An upload of many orders: from bytes to drafts and faults, one row at a time.
//!
//! Reading happens on a thread of its own ([`start`]): it waits for bytes ([`incoming`]), splits them into rows, puts the
//! defaults under each and reads it as an order ([`rows`]). What comes out goes through a short channel, so that no more
//! of the file is in memory than the few rows that are being written, however large it is.

mod coerce;
mod deadline;
mod head;
mod incoming;
mod orders;
mod places;
mod rows;

use domain::{RowFault, Timestamp};
use tabular::{Format, Headings, Limits, Unreadable};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub use deadline::Deadline;
pub use head::{BatchRequest, Given, Head, OnInvalid, Workbook};
pub use incoming::{Incoming, too_large};
pub use orders::MOST_ORDERS;
pub use places::Places;
pub use rows::{Message, Row};

use self::rows::Rows;
use crate::idempotency::RequestHasher;
use crate::problem::{Kind, Problem};

/// The most bytes of a JSON body.
const MOST_JSON: u64 = 16 << 20;

/// How many messages of rows wait at most between reading and writing.
const AHEAD: usize = 2;

/// What the body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One object with all orders.
    Json,
    /// A row for each order.
    Rows(Format),
}

/// How reading ended.
pub struct Ended {
    /// What became of the request's hash; only of use if all was read.
    pub hasher: RequestHasher,
    /// The columns, in formats that have some.
    pub result: Result<Headings, Problem>,
}

impl Form {
    /// Everything that is taken, for the refusal of what is not.
    pub const KNOWN: &str = "application/json`, `application/x-ndjson`, `text/csv` or \
         `application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    /// By the body's media type, in lower case and without parameters.
    pub fn of(media_type: &str) -> Option<Self> {
        match media_type {
            "application/json" => Some(Self::Json),
            other => Format::from_media_type(other).map(Self::Rows),
        }
    }

    /// The most bytes of a body.
    pub fn most(self) -> u64 {
        let limits = Limits::default();
        match self {
            Self::Json => MOST_JSON,
            Self::Rows(Format::Xlsx) => limits.workbook,
            Self::Rows(_) => limits.bytes,
        }
    }

    /// Where a fault of a row is, as the caller sees it.
    pub fn pointer(self, row: u64, fault: &RowFault) -> String {
        match self {
            Self::Json => format!("/orders/{}{}", row.saturating_sub(1), fault.pointer),
            Self::Rows(_) => fault.pointer.clone(),
        }
    }
}

/// Begins to read. Whoever does not want any more drops the receiver; the rest is then read and thrown away.
pub fn start(
    mut incoming: Incoming,
    form: Form,
    given: Given,
    now: Timestamp,
) -> (mpsc::Receiver<Message>, JoinHandle<Ended>) {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let span = tracing::Span::current();
    let reading = tokio::task::spawn_blocking(move || {
        let _entered = span.entered();
        let mut rows = Rows::new(form, given, now, sender);
        let read = match form {
            Form::Json => orders::read(&mut incoming, &mut rows).map(|()| Headings::default()),
            Form::Rows(format) => tabular::read(format, &mut incoming, &Limits::default(), &mut |row| rows.take(row))
                .map_err(Problem::from),
        };
        let result = match (rows.end(), read) {
            // The first that went wrong says best what is wrong.
            (Err(refused), _) => Err(refused),
            (Ok(()), Ok(headings)) => incoming.drain().map(|()| headings),
            (Ok(()), Err(problem)) => Err(incoming.broken().unwrap_or(problem)),
        };
        if result.is_err() {
            // What is wrong is known; the caller is to be there to hear it.
            let _ = incoming.drain();
        }
        Ended { hasher: incoming.into_hasher(), result }
    });
    (receiver, reading)
}

impl From<Unreadable> for Problem {
    fn from(unreadable: Unreadable) -> Self {
        let kind = match &unreadable {
            Unreadable::TooLarge { .. } | Unreadable::TooManyRows { .. } | Unreadable::ZipBomb { .. } => Kind::TooLarge,
            _ => Kind::UnreadableFile,
        };
        Self::new(kind, unreadable.to_string())
    }
}
