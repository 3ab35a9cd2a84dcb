use std::ops::ControlFlow;

use domain::RowFault;
use serde_json::{Map, Value};

use crate::{Limits, Unreadable};

/// A row of an upload.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// From 1, as a person counts: the line of an NDJSON or CSV file where the row begins, the row of a sheet.
    pub number: u64,
    /// The JSON object that the row stands for, or what is wrong with the row.
    pub content: Content,
}

pub(crate) type Content = Result<Map<String, Value>, Vec<RowFault>>;

/// Takes the rows as they are read, and says what each was; `Break` ends the reading.
pub type Sink<'a> = dyn FnMut(Row) -> ControlFlow<(), Taken> + 'a;

/// What a row was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Row,
    /// It says something about the rows below it, and does not count as one.
    Head,
}

/// A fault of the row as a whole.
pub(crate) fn fault(code: &str, detail: String) -> Vec<RowFault> {
    vec![RowFault { pointer: String::new(), column: None, code: code.to_owned(), detail }]
}

/// The sink, and how many rows it may still be given.
pub(crate) struct Rows<'r, 's> {
    sink: &'r mut Sink<'s>,
    limit: u64,
    given: u64,
}

impl<'r, 's> Rows<'r, 's> {
    pub fn new(sink: &'r mut Sink<'s>, limits: &Limits) -> Self {
        Self { sink, limit: limits.rows, given: 0 }
    }

    pub fn give(&mut self, number: u64, content: Content) -> Result<ControlFlow<()>, Unreadable> {
        if self.given == self.limit {
            return Err(Unreadable::TooManyRows { limit: self.limit });
        }
        Ok(match (self.sink)(Row { number, content }) {
            ControlFlow::Continue(taken) => {
                self.given += u64::from(taken == Taken::Row);
                ControlFlow::Continue(())
            }
            ControlFlow::Break(()) => ControlFlow::Break(()),
        })
    }

    /// There were no more.
    pub fn end(&self) -> Result<(), Unreadable> {
        if self.given == 0 { Err(Unreadable::Empty) } else { Ok(()) }
    }
}
