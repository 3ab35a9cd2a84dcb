//! Rows to drafts.

use std::ops::ControlFlow;

use domain::{OrderDraft, RowFault, Timestamp};
use serde_json::{Map, Value};
use tabular::{Format, Taken};
use tokio::sync::mpsc;

use super::head::{Given, Head};
use super::{Form, coerce};
use crate::draft;
use crate::faults::Faults;
use crate::problem::{Place, Problem};

/// How many rows travel together.
const TOGETHER: usize = 50;

/// What is read, in its order.
pub enum Message {
    /// How the upload is to be taken. Comes first, and once.
    Head(Head),
    Rows(Vec<Row>),
}

/// A row, read as far as it can be without knowing vendors.
pub struct Row {
    /// From 1, as a person counts.
    pub number: u64,
    pub order: Result<OrderDraft, Vec<RowFault>>,
}

/// Takes rows, and sends what they stand for.
pub struct Rows {
    form: Form,
    given: Option<Given>,
    now: Timestamp,
    defaults: Map<String, Value>,
    ready: Vec<Row>,
    sender: mpsc::Sender<Message>,
    refused: Option<Problem>,
}

impl Rows {
    pub fn new(form: Form, given: Given, now: Timestamp, sender: mpsc::Sender<Message>) -> Self {
        Self { form, given: Some(given), now, defaults: Map::new(), ready: Vec::new(), sender, refused: None }
    }

    /// Takes a row, and says whether it was one. `Break`: no more are wanted.
    pub fn take(&mut self, row: tabular::Row) -> ControlFlow<(), Taken> {
        let tabular::Row { number, content } = row;
        let content = if self.given.is_some() {
            match content {
                Ok(said) if self.form == Form::Rows(Format::Ndjson) && is_head(&said) => {
                    self.open(Some((said, Faults::default())))?;
                    return ControlFlow::Continue(Taken::Head);
                }
                content => {
                    self.open(None)?;
                    content
                }
            }
        } else {
            content
        };
        let order = content.and_then(|row| self.read(row));
        self.ready.push(Row { number, order });
        if self.ready.len() >= TOGETHER {
            self.flush()?;
        }
        ControlFlow::Continue(Taken::Row)
    }

    /// Says how the upload is to be taken: by what its body says, if it does, with the faults that were found so far.
    pub fn open(&mut self, said: Option<(Map<String, Value>, Faults)>) -> ControlFlow<()> {
        let given = self.given.take().unwrap_or_default();
        let head = match said {
            None => Ok((given.alone(), Map::new())),
            Some((said, faults)) => given.with(said, faults),
        };
        match head {
            Ok((head, defaults)) => {
                self.defaults = defaults;
                self.send(Message::Head(head))
            }
            Err(problem) => {
                self.refused = Some(problem);
                ControlFlow::Break(())
            }
        }
    }

    /// Sends what is left, or says why the upload cannot be taken at all.
    pub fn end(mut self) -> Result<(), Problem> {
        let _ = self.flush();
        self.refused.map_or(Ok(()), Err)
    }

    fn read(&self, row: Map<String, Value>) -> Result<OrderDraft, Vec<RowFault>> {
        let row = match self.form {
            Form::Rows(Format::Csv | Format::Xlsx) => coerce::row(row),
            _ => row,
        };
        let order = Value::Object(tabular::merge(&self.defaults, row));
        if let Some(document) = order.pointer("/consent/document").and_then(Value::as_object)
            && let Some(part) =
                ["content_base64", "filename"].into_iter().find(|part| !document.get(*part).is_none_or(Value::is_null))
        {
            let detail = "In a batch, consent documents are given by url only. Give the link, or order singly.";
            return Err(vec![fault(format!("/consent/document/{part}"), "not_supported", detail)]);
        }
        draft::order(order, self.now).map_err(faults_of)
    }

    fn flush(&mut self) -> ControlFlow<()> {
        let ready = std::mem::take(&mut self.ready);
        if ready.is_empty() { ControlFlow::Continue(()) } else { self.send(Message::Rows(ready)) }
    }

    fn send(&self, message: Message) -> ControlFlow<()> {
        match self.sender.blocking_send(message) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// An order has neither of these fields.
fn is_head(line: &Map<String, Value>) -> bool {
    line.contains_key("defaults") || line.contains_key("on_invalid")
}

fn faults_of(problem: Problem) -> Vec<RowFault> {
    let faults = problem.into_faults().into_iter().map(|found| {
        let (Place::Pointer(place) | Place::Parameter(place) | Place::Header(place)) = found.place;
        fault(place, &found.code, &found.detail)
    });
    let mut faults: Vec<_> = faults.collect();
    if faults.is_empty() {
        faults.push(fault("", "invalid", "The row cannot be read as an order."));
    }
    faults
}

pub fn fault(pointer: impl Into<String>, code: &str, detail: &str) -> RowFault {
    RowFault { pointer: pointer.into(), column: None, code: code.to_owned(), detail: detail.to_owned() }
}
