//! The steps up to the start. Nothing is ordered before it, so whatever goes wrong here costs nothing: the file is made
//! anew, or its checks go singly.

use std::time::Duration;

use domain::Reason;
use provider::{BulkProgress, BulkStage, BulkState, CallContext, Evidence, SubmissionItem, VendorAnswer, vendor_id};

use super::answers::{Verdict, judge, of_error};
use super::memory::Memory;
use super::workbook::{self, REFERENCE};
use super::{Batches, follow, next, patience, singly, wait};
use crate::mapping;
use crate::wire::{self, NewBatch};

/// The link takes a file for half an hour. What is put under it in the last minute may come too late.
const LINK: Duration = Duration::from_mins(29);

/// After so many batches of one file that came to nothing its checks go singly.
const MOST_ABANDONED: u32 = 3;

/// How long a batch may take to be made.
const PATIENCE: Duration = Duration::from_hours(1);

/// The most columns of a sheet: more than the vendor has inputs.
const MOST_COLUMNS: usize = 200;

/// Between two looks at a batch that may have been started.
const BETWEEN_LOOKS: (Duration, Duration) = (Duration::from_secs(20), Duration::from_mins(5));

/// So many looks must find a batch not started before it is started once more.
const IDLE_LOOKS: u32 = 2;

/// After so many starts that had no effect its checks go singly.
const MOST_IDLE_STARTS: u32 = 3;

/// How long a batch whose start is in doubt is looked at.
const DOUBT: Duration = Duration::from_hours(6);

impl Batches {
    pub(super) async fn create(
        &self,
        ctx: &CallContext,
        state: &BulkState,
        items: &[SubmissionItem],
        memory: Memory,
    ) -> BulkProgress {
        if memory.abandoned > MOST_ABANDONED {
            let why = Reason::new("batch_abandoned", "No batch of this file could be begun.");
            return singly(items, &why, Evidence::default());
        }
        if state.now.since(state.entered_at) > PATIENCE {
            let why = Reason::new("no_batch", "The vendor could not be brought to make a batch.");
            return singly(items, &why, Evidence::default());
        }
        let with_reference = !memory.without_reference;
        let Some(form) = form(items, with_reference) else {
            let why = Reason::new("bad_request", "Truora takes like background checks in a file, up to 1,000.");
            return singly(items, &why, Evidence::default());
        };
        let answer = match self.calls.create(ctx, &form).await {
            Ok(answer) => answer,
            Err(error) => return of_error(&error),
        };
        if answer.status.is_success() {
            return made(state, items, &answer, &memory);
        }
        match judge(&answer) {
            Verdict::Later(later) => later,
            // Perhaps for the one column that no document names.
            Verdict::Refused(_) if with_reference && answer.status == http::StatusCode::BAD_REQUEST => {
                next(BulkStage::Create, &Memory { without_reference: true, ..memory })
            }
            Verdict::Refused(why) | Verdict::Nothing(why) => singly(items, &why, Evidence::of(&answer)),
            Verdict::Unclear(why) => BulkProgress::Doubt { why },
        }
    }

    pub(super) async fn upload(
        &self,
        ctx: &CallContext,
        state: &BulkState,
        items: &[SubmissionItem],
        memory: Memory,
    ) -> BulkProgress {
        let (Some(link), Some(made_at)) = (&memory.upload_link, memory.made_at) else { return abandon(&memory) };
        // A second file would be refused even if the first is there.
        if state.in_doubt {
            return next(BulkStage::Start, &memory);
        }
        if state.now.since(made_at) >= LINK {
            return abandon(&memory);
        }
        let link = match self.calls.files.follow(link) {
            Ok(link) => link,
            Err(fault) => return singly(items, &Reason::new("foreign_link", fault.to_string()), Evidence::default()),
        };
        let Ok(file) = workbook::write(&memory.columns, items) else {
            let why = Reason::new("bad_request", "The workbook could not be written.");
            return singly(items, &why, Evidence::default());
        };
        let answer = match self.calls.upload(ctx, link, file).await {
            Ok(answer) => answer,
            Err(error) => return of_error(&error),
        };
        match answer.status.as_u16() {
            200..=204 => next(BulkStage::Start, &memory),
            // Expired, or used.
            400..=499 => abandon(&memory),
            _ => BulkProgress::Doubt { why: Reason::new("unexpected_status", "The file may have arrived or not.") },
        }
    }

    pub(super) async fn start(
        &self,
        ctx: &CallContext,
        state: &BulkState,
        items: &[SubmissionItem],
        memory: Memory,
    ) -> BulkProgress {
        let Some(batch) = memory.batch.clone() else { return follow::lost(items) };
        if state.in_doubt {
            return self.look_whether_started(ctx, state, items, memory, &batch).await;
        }
        let answer = match self.calls.start(ctx, &batch).await {
            Ok(answer) => answer,
            Err(error) => return of_error(&error),
        };
        if answer.status.is_success() {
            return next(BulkStage::Run, &memory);
        }
        match judge(&answer) {
            Verdict::Later(later) => later,
            // "Batch File not found": nothing to begin with.
            Verdict::Nothing(_) => abandon(&memory),
            Verdict::Refused(why) if why.code == "wrong_address" => singly(items, &why, Evidence::of(&answer)),
            // Perhaps since it was started already: a look tells.
            Verdict::Refused(why) | Verdict::Unclear(why) => BulkProgress::Doubt { why },
        }
    }

    /// Starting twice could make every check twice.
    async fn look_whether_started(
        &self,
        ctx: &CallContext,
        state: &BulkState,
        items: &[SubmissionItem],
        mut memory: Memory,
        batch: &str,
    ) -> BulkProgress {
        let seen = self.look(ctx, batch, &mut memory).await;
        if seen.as_ref().is_ok_and(follow::Seen::is_begun) {
            return next(BulkStage::Run, &Memory { idle_looks: 0, ..memory });
        }
        if state.now.since(state.entered_at) > DOUBT {
            return follow::lost(items);
        }
        // Before the window is over a start may still be on its way.
        let idle = seen.ok().filter(|seen| state.is_settled() && seen.status == "not_started");
        let rows = idle.and_then(|seen| seen.size).filter(|rows| *rows == 0 || *rows == items.len() as u64);
        let Some(rows) = rows else { return wait(patience(state, BETWEEN_LOOKS.0, BETWEEN_LOOKS.1), &memory) };
        memory.idle_looks += 1;
        if memory.idle_looks >= IDLE_LOOKS {
            memory = Memory { idle_looks: 0, idle_starts: memory.idle_starts + 1, ..memory };
            if rows == 0 {
                // The file never arrived.
                return abandon(&memory);
            }
            if memory.idle_starts >= MOST_IDLE_STARTS {
                let why = Reason::new("batch_not_begun", "The vendor could not be brought to begin the batch.");
                return singly(items, &why, Evidence::default());
            }
            return next(BulkStage::Start, &memory);
        }
        wait(patience(state, BETWEEN_LOOKS.0, BETWEEN_LOOKS.1), &memory)
    }
}

/// The batch is not used: it holds nothing, or what is in it never begins.
fn abandon(memory: &Memory) -> BulkProgress {
    next(BulkStage::Create, &memory.anew())
}

/// `None`: the checks are not such that one file can hold them.
fn form(items: &[SubmissionItem], with_reference: bool) -> Option<Vec<(String, String)>> {
    let first = items.first().filter(|_| items.len() <= super::MOST_ROWS)?;
    let first = mapping::asked(&first.order, &first.check)?;
    let is_like = |item: &SubmissionItem| {
        let asked = mapping::asked(&item.order, &item.check);
        !item.force_new && asked.is_some_and(|asked| asked.kind == first.kind && asked.country == first.country)
    };
    if !items.iter().all(is_like) {
        return None;
    }
    let fields = [("type", first.kind.as_str()), ("country", &first.country), ("service", "checks")];
    let mut form: Vec<_> = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let reference = with_reference.then_some(REFERENCE);
    let columns = reference.into_iter().chain(workbook::columns(items));
    form.extend(columns.enumerate().map(|(at, input)| (format!("columns_mapping.{input}"), at.to_string())));
    Some(form)
}

fn made(state: &BulkState, items: &[SubmissionItem], answer: &VendorAnswer, memory: &Memory) -> BulkProgress {
    let unreadable = || BulkProgress::Doubt { why: Reason::new("answer_unreadable", "The answer could not be read.") };
    let Ok(NewBatch { batch_id: Some(id), columns, file_upload_link: Some(link) }) = answer.json() else {
        return unreadable();
    };
    let Some(batch) = vendor_id(&id) else { return unreadable() };
    let asked_for = || {
        let reference = (!memory.without_reference).then_some(REFERENCE);
        reference.into_iter().chain(workbook::columns(items)).map(str::to_owned).collect()
    };
    let columns: Vec<String> = columns.filter(|columns| !columns.is_empty()).unwrap_or_else(asked_for);
    let has = |input: &&str| columns.iter().any(|column| workbook::input_of(column) == *input);
    if columns.len() > MOST_COLUMNS || !workbook::columns(items).iter().all(has) {
        let why = Reason::new("no_column", "The vendor's sheet has no column for one of the inputs.");
        return singly(items, &why, Evidence::of(answer));
    }
    let memory = Memory {
        batch: Some(batch),
        upload_link: Some(link),
        made_at: Some(state.now),
        columns,
        idle_looks: 0,
        asked: 0,
        ..memory.clone()
    };
    next(BulkStage::Upload, &memory)
}

/// The time of a batch by the vendor's clock.
pub(super) fn made_at_vendor(batch: &wire::Batch) -> Option<domain::Timestamp> {
    batch.creation_date.as_deref().and_then(wire::timestamp)
}
