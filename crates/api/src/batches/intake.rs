//! Taking the rows of an upload in: what is valid goes into the batch's transaction, what is not is noted.

use domain::{Batch, OrderDraft, RejectedRow, RowFault, TenantId};
use engine::{AcceptError, BatchIntake};
use tabular::Headings;
use tokio::sync::mpsc;

use crate::app::App;
use crate::idempotency::Pending;
use crate::problem::{Fault, Place, Problem};
use crate::upload::{Deadline, Ended, Form, Head, Message, OnInvalid, Row};

/// The most faults that a refusal tells.
const MOST_FAULTS: usize = 1_000;

/// The most rows that a batch lists as left out, and the most faults that it tells of each.
const MOST_ROWS: usize = 1_000;
const MOST_FAULTS_OF_ROW: usize = 20;

/// An upload that is being taken in.
pub struct Intake<'a> {
    app: &'a App,
    tenant: &'a TenantId,
    form: Form,
    on_invalid: OnInvalid,
    batch: Option<BatchIntake>,
    /// `None` once nothing will be accepted any more: what is still judged needs no transaction.
    pending: Option<Pending>,
    orders: u64,
    rejected: Rejected,
    deadline: Deadline,
}

/// The rows that are not valid.
#[derive(Default)]
struct Rejected {
    kept: Vec<RejectedRow>,
    faults: usize,
    count: u64,
}

impl<'a> Intake<'a> {
    pub fn new(app: &'a App, tenant: &'a TenantId, form: Form, pending: Pending, deadline: Deadline) -> Self {
        Self {
            app,
            tenant,
            form,
            on_invalid: OnInvalid::default(),
            batch: None,
            pending: Some(pending),
            orders: 0,
            rejected: Rejected::default(),
            deadline,
        }
    }

    /// Takes in what is read, until all is read or no more is wanted.
    pub async fn take_all(&mut self, mut messages: mpsc::Receiver<Message>) -> Result<(), Problem> {
        while let Some(message) = messages.recv().await {
            self.deadline.check()?;
            match message {
                Message::Head(Head { external_id, on_invalid }) => {
                    self.on_invalid = on_invalid;
                    self.batch = Some(self.app.engine().open_batch(self.tenant, external_id));
                }
                Message::Rows(rows) => {
                    for row in rows {
                        self.take(row).await?;
                    }
                }
            }
            if self.pending.is_none() && self.rejected.faults >= MOST_FAULTS {
                break;
            }
        }
        Ok(())
    }

    async fn take(&mut self, row: Row) -> Result<(), Problem> {
        let Row { number, order } = row;
        let faults = match order {
            Ok(draft) => match self.add(draft).await? {
                None => {
                    self.orders += 1;
                    return Ok(());
                }
                Some(faults) => faults,
            },
            Err(faults) => faults,
        };
        self.rejected.note(RejectedRow { row: number, faults }, self.on_invalid);
        if self.on_invalid == OnInvalid::Reject
            && let Some(pending) = self.pending.take()
        {
            // Whether or not the database hears of it, nothing is kept.
            let _ = pending.tx.cancel().await;
        }
        Ok(())
    }

    /// Adds an order to the batch, or only judges it. Gives what is wrong with it, if anything is.
    async fn add(&mut self, draft: OrderDraft) -> Result<Option<Vec<RowFault>>, Problem> {
        let Some(batch) = &mut self.batch else {
            return Err(Problem::internal(&"an upload gave rows before its head"));
        };
        let added = match &mut self.pending {
            Some(pending) => batch.add(&mut pending.tx, draft).await,
            None => batch.judge(draft).map_err(AcceptError::Invalid),
        };
        match added {
            Ok(()) => Ok(None),
            Err(AcceptError::Store(error)) => Err(error.into()),
            Err(AcceptError::Invalid(faults)) => {
                let faults = faults.into_iter().map(|(pointer, fault)| RowFault {
                    pointer,
                    column: None,
                    code: fault.code.into_owned(),
                    detail: fault.detail,
                });
                Ok(Some(faults.collect()))
            }
        }
    }

    /// Writes what is left, once all was read. Gives the batch in its transaction, which is not saved yet.
    pub async fn finish(mut self, ended: &Ended) -> Result<(Pending, Batch), Problem> {
        match self.write(ended).await {
            Ok(batch) => {
                let pending = self.pending.take();
                pending
                    .map(|pending| (pending, batch))
                    .ok_or_else(|| Problem::internal(&"a batch without its transaction"))
            }
            Err(refusal) => {
                self.give_up().await;
                Err(refusal)
            }
        }
    }

    /// Ends the transaction before the refusal is told: a dropped one holds the key a moment longer, and the corrected
    /// request would be told that the first is still running.
    pub async fn give_up(&mut self) {
        if let Some(pending) = self.pending.take() {
            let _ = pending.tx.cancel().await;
        }
    }

    async fn write(&mut self, ended: &Ended) -> Result<Batch, Problem> {
        let headings = ended.result.as_ref().map_err(Clone::clone)?;
        self.rejected.name_columns(headings);
        let is_refused = self.rejected.count > 0 && (self.on_invalid == OnInvalid::Reject || self.orders == 0);
        if is_refused {
            return Err(self.refusal());
        }
        let (Some(pending), Some(mut batch)) = (&mut self.pending, self.batch.take()) else {
            return Err(Problem::internal(&"an upload ended without a head"));
        };
        let uncounted = self.rejected.count - self.rejected.kept.len() as u64;
        for row in self.rejected.kept.drain(..) {
            batch.reject(row);
        }
        for _ in 0..uncounted {
            batch.reject(RejectedRow { row: 0, faults: Vec::new() });
        }
        Ok(batch.finish(&mut pending.tx).await?)
    }

    fn refusal(&mut self) -> Problem {
        let form = self.form;
        let faults = self.rejected.kept.drain(..).flat_map(|rejected| {
            let row = rejected.row;
            rejected.faults.into_iter().map(move |fault| Fault {
                row: Some(row),
                column: fault.column.clone(),
                ..Fault::new(Place::Pointer(form.pointer(row, &fault)), fault.code, fault.detail)
            })
        });
        let faults: Vec<_> = faults.take(MOST_FAULTS).collect();
        let rows = self.rejected.count;
        let which = match rows {
            1 => "One row".to_owned(),
            rows => format!("{rows} rows"),
        };
        let detail = if self.rejected.faults >= MOST_FAULTS {
            format!(
                "Nothing was accepted: at least {which} must be corrected. Only the first {MOST_FAULTS} faults are told."
            )
        } else {
            format!("Nothing was accepted: {which} must be corrected.")
        };
        Problem::invalid(faults).saying(detail)
    }
}

impl Rejected {
    fn note(&mut self, mut row: RejectedRow, on_invalid: OnInvalid) {
        self.count += 1;
        if on_invalid == OnInvalid::Skip {
            row.faults.truncate(MOST_FAULTS_OF_ROW);
        }
        let has_room = match on_invalid {
            OnInvalid::Skip => self.kept.len() < MOST_ROWS,
            OnInvalid::Reject => self.faults < MOST_FAULTS,
        };
        self.faults += row.faults.len();
        if has_room {
            self.kept.push(row);
        }
    }

    /// Says which columns the faults are in, which is only known once all was read.
    fn name_columns(&mut self, headings: &Headings) {
        for fault in self.kept.iter_mut().flat_map(|row| &mut row.faults) {
            if fault.column.is_none() {
                fault.column = headings.column_of(&fault.pointer).map(str::to_owned);
            }
            // Keys and headings are the caller's: the database takes no NUL, and who reads them has a terminal.
            for text in [&mut fault.pointer].into_iter().chain(&mut fault.column) {
                if text.contains(char::is_control) {
                    *text = text.replace(char::is_control, "\u{FFFD}");
                }
            }
        }
    }
}
