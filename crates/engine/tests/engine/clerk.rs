//! A made-up vendor that takes files, kept in memory: it does exactly what a test says, and keeps books.
//!
//! The objects that a file makes carry no reference unless the vendor is told so, and a file that is started twice makes
//! everything twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::case::{Listed, Sighting, Sightings};
use domain::{
    Certainty, CheckInput, CheckSpec, CheckType, Clock as _, FieldError, IdentifierType, OrderInput, Outcome,
    ProviderId, Reason, Reference, Sensitive, Standing, Timestamp, VendorRef,
};
use provider::{
    Accepted, Bulk, BulkProgress, BulkStage, BulkState, ByteStream, CallContext, CallError, CancelAnswer,
    CancelSupport, Carries, Descriptor, DocumentRef, Evidence, Fetched, HookAuthentication, HookNews, HookRefused,
    HookRequest, HookSays, ItemOutcome, Kinship, LocateQuery, LostReason, NotSentReason, ProbeFault, Product, Provider,
    RowOutcome, Snapshot, Submission, SubmissionItem, SubmitReport, SweepQuery, Timing,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use trials::TestClock;

pub const SETTLE: Duration = Duration::from_mins(2);

/// How a call to the vendor goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// It never comes to the vendor, and nobody can tell.
    LostBefore,
    /// The vendor does what it says, and its answer is lost.
    LostAfter,
    /// It surely never leaves.
    NotSent,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    #[default]
    Made,
    Refused,
    /// The report knows nothing of it, and nothing was made.
    Forgotten,
    /// The report knows nothing of it, and it was made; it shows its reference.
    Unreported,
    /// It was made, and the report does not tell for whom.
    Unclear,
}

#[derive(Clone)]
pub struct Row {
    pub reference: Reference,
    pub identity: [u8; 32],
}

#[derive(Clone, Default)]
pub struct File {
    pub rows: Vec<Row>,
    pub starts: u32,
    started_at: Option<Timestamp>,
    pub stopped: bool,
    objects: BTreeMap<Reference, String>,
}

#[derive(Clone)]
pub struct Object {
    pub id: String,
    pub reference: Reference,
    /// Whether it shows the reference that it was made for.
    pub shows: bool,
    pub by_file: bool,
}

#[derive(Default)]
pub struct Books {
    pub files: Vec<File>,
    pub objects: Vec<Object>,
    /// The calls that came in, or would have.
    pub calls: Vec<BulkStage>,
    pub stops: u32,
    pub mishaps: Vec<(BulkStage, Mishap)>,
    pub lost_stops: u32,
    pub fates: BTreeMap<Reference, Fate>,
    /// How long the vendor works on a file. `None`: for ever.
    pub works_for: Option<Duration>,
    /// The objects of files show their references.
    pub shows: bool,
}

impl Books {
    pub fn of(&self, reference: Reference) -> Vec<&str> {
        self.objects.iter().filter(|object| object.reference == reference).map(|object| object.id.as_str()).collect()
    }

    fn make(&mut self, reference: Reference, by_file: bool) -> String {
        let id = format!("OBJ{:05}", self.objects.len());
        let is_lost = self.fates.get(&reference) == Some(&Fate::Unreported);
        let shows = self.shows || !by_file || is_lost;
        self.objects.push(Object { id: id.clone(), reference, shows, by_file });
        id
    }

    /// Rows become objects: the first half at once, the rest with the end of the file, unless it is stopped.
    fn work_on(&mut self, file: usize, up_to: usize) {
        let rows: Vec<_> = self.files[file].rows.iter().take(up_to).map(|row| row.reference).collect();
        for reference in rows {
            let fate = self.fates.get(&reference).copied().unwrap_or_default();
            let makes = !matches!(fate, Fate::Refused | Fate::Forgotten);
            let is_made = self.files[file].objects.contains_key(&reference) && self.files[file].starts < 2;
            if makes && !is_made {
                let id = self.make(reference, true);
                self.files[file].objects.insert(reference, id);
            }
        }
    }
}

#[derive(Clone)]
pub struct Clerk {
    books: Arc<Mutex<Books>>,
    clock: TestClock,
    descriptor: Arc<Descriptor>,
    most_rows: usize,
    used_from: Option<usize>,
}

impl Clerk {
    pub fn new(clock: TestClock, most_rows: usize, used_from: Option<usize>) -> Self {
        let product =
            Product { check_type: CheckType::BackgroundCheck, countries: vec!["CO"], required_inputs: Vec::new() };
        let timing = Timing {
            settle: SETTLE,
            timeout: Duration::from_secs(5),
            poll_min: Duration::from_secs(20),
            poll_max: Duration::from_mins(15),
            rate: None,
        };
        let descriptor = Descriptor {
            id: ProviderId::new("clerk"),
            display_name: "Clerk",
            products: vec![product],
            batch_size: 1,
            cancel: CancelSupport::No,
            hooks: HookAuthentication::SignedBody,
            reuses_objects: true,
            timing,
        };
        let books = Books { works_for: Some(Duration::from_mins(5)), ..Books::default() };
        Self { books: Arc::new(Mutex::new(books)), clock, descriptor: Arc::new(descriptor), most_rows, used_from }
    }

    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One call: on its way for a moment, with what goes wrong in it.
    async fn call<T>(
        &self,
        stage: BulkStage,
        effect: impl FnOnce(&mut Books, Timestamp) -> T,
    ) -> Result<T, BulkProgress> {
        tokio::task::yield_now().await;
        let doubt = || BulkProgress::Doubt { why: Reason::new(LostReason::TimedOut.code(), "No answer.") };
        let outcome = {
            let mut books = self.books();
            books.calls.push(stage);
            let mishap = books.mishaps.iter().position(|(of, _)| *of == stage).map(|at| books.mishaps.remove(at).1);
            match mishap {
                Some(Mishap::NotSent) => {
                    let why = Reason::new(NotSentReason::OverBudget.code(), "Not sent.");
                    Err(BulkProgress::NotSent { why, retry_after: None })
                }
                Some(Mishap::LostBefore) => Err(doubt()),
                Some(Mishap::LostAfter) => {
                    effect(&mut books, self.clock.now());
                    Err(doubt())
                }
                None => Ok(effect(&mut books, self.clock.now())),
            }
        };
        tokio::task::yield_now().await;
        outcome
    }

    async fn go_on(&self, state: &BulkState, items: &[SubmissionItem]) -> Result<BulkProgress, BulkProgress> {
        let memory = state.memory.clone();
        let file =
            state.memory.expose()["file"].as_u64().map_or(usize::MAX, |file| usize::try_from(file).expect("few"));
        let next = |stage| BulkProgress::Next { stage, memory: memory.clone() };
        let wait = |after| BulkProgress::Wait { after, memory: memory.clone() };
        Ok(match state.stage {
            // A file that nobody knows of stays empty, and harms nobody.
            BulkStage::Create => {
                let file = self.call(BulkStage::Create, |books, _| {
                    books.files.push(File::default());
                    books.files.len() - 1
                });
                let memory = json!({ "file": file.await? });
                BulkProgress::Next { stage: BulkStage::Upload, memory: Sensitive::new(memory) }
            }
            BulkStage::Upload => {
                let rows: Vec<_> = items
                    .iter()
                    .map(|item| Row { reference: item.reference, identity: identity(&item.order) })
                    .collect();
                self.call(BulkStage::Upload, |books, _| books.files[file].rows = rows).await?;
                next(BulkStage::Start)
            }
            BulkStage::Start => {
                if state.in_doubt {
                    let is_started = self.call(BulkStage::Run, |books, _| books.files[file].starts > 0).await?;
                    match is_started {
                        true => return Ok(next(BulkStage::Run)),
                        false if !state.is_settled() => return Ok(wait(Duration::from_secs(5))),
                        false => {}
                    }
                }
                let start = |books: &mut Books, now| {
                    books.files[file].starts += 1;
                    books.files[file].started_at = Some(now);
                    let half = books.files[file].rows.len() / 2;
                    books.work_on(file, half);
                };
                self.call(BulkStage::Start, start).await?;
                next(BulkStage::Run)
            }
            BulkStage::Run => {
                let has_ended = self.call(BulkStage::Run, |books, now| {
                    let (is_stopped, started_at) = (books.files[file].stopped, books.files[file].started_at);
                    let through = books.works_for.is_some_and(|long| started_at.is_some_and(|at| now >= at + long));
                    if through && !is_stopped {
                        books.work_on(file, usize::MAX);
                    }
                    is_stopped || through
                });
                let has_ended = has_ended.await?;
                let is_endless = self.books().works_for.is_none();
                match (has_ended, is_endless) {
                    (true, _) => next(BulkStage::Report),
                    (false, true) => wait(Duration::from_hours(1)),
                    (false, false) => wait(Duration::from_secs(30)),
                }
            }
            BulkStage::Report => {
                self.call(BulkStage::Report, |_, _| ()).await?;
                next(BulkStage::Read)
            }
            BulkStage::Read => {
                let (made, fates) = self
                    .call(BulkStage::Read, |books, _| (books.files[file].objects.clone(), books.fates.clone()))
                    .await?;
                let outcome = |item: &SubmissionItem| {
                    let fate = fates.get(&item.reference).copied().unwrap_or_default();
                    match (fate, made.get(&item.reference)) {
                        (Fate::Made, Some(id)) => RowOutcome::Made(Box::new(Accepted {
                            vendor: VendorRef::order(id),
                            provisional: false,
                            reused: false,
                            carries: Carries::Ours(item.reference),
                            snapshot: None,
                        })),
                        (Fate::Refused, _) => RowOutcome::Refused(Reason::new("row_refused", "The row was refused.")),
                        (Fate::Forgotten | Fate::Unreported, _) => {
                            RowOutcome::Missing(Reason::new("not_in_report", "The report does not name it."))
                        }
                        (Fate::Unclear, _) => {
                            RowOutcome::Ambiguous(Reason::new("row_unclear", "Whose row it is cannot be told."))
                        }
                        (Fate::Made, None) => {
                            RowOutcome::NotBegun(Reason::new("row_not_begun", "The vendor was stopped before it."))
                        }
                    }
                };
                BulkProgress::Done { rows: items.iter().map(outcome).collect(), evidence: Evidence::default() }
            }
        })
    }
}

fn identity(order: &OrderInput) -> [u8; 32] {
    let person = order.subject.as_person().expect("a person");
    let of = |kind| person.identifiers.iter().find(|identifier| identifier.kind == kind);
    Sha256::digest(&of(IdentifierType::NationalId).expect("a national id").value).into()
}

#[async_trait]
impl Bulk for Clerk {
    fn most_rows(&self) -> usize {
        self.most_rows
    }

    fn used_from(&self) -> Option<usize> {
        self.used_from
    }

    fn kinship(&self, order: &OrderInput, check: &CheckInput) -> Option<Kinship> {
        let CheckSpec::BackgroundCheck(spec) = &check.spec else { return None };
        let asked_for = check.vendor_options.get("file").is_some_and(|wish| wish == true);
        Some(Kinship { file: spec.country.clone(), identity: identity(order), asked_for })
    }

    async fn step(&self, _: &CallContext, state: &BulkState, items: &[SubmissionItem]) -> BulkProgress {
        self.go_on(state, items).await.unwrap_or_else(|failed| failed)
    }

    async fn stop(&self, _: &CallContext, state: &BulkState) -> Result<(), CallError> {
        let file = usize::try_from(state.memory.expose()["file"].as_u64().expect("a file")).expect("few");
        let mut books = self.books();
        books.stops += 1;
        if books.lost_stops > 0 {
            books.lost_stops -= 1;
            return Err(CallError::Lost { why: LostReason::TimedOut });
        }
        books.files[file].stopped = true;
        Ok(())
    }

    fn vendor_batch_id(&self, memory: &serde_json::Value) -> Option<String> {
        memory["file"].as_u64().map(|file| format!("FILE{file}"))
    }
}

#[async_trait]
impl Provider for Clerk {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn validate(&self, _: &OrderInput, _: &CheckInput) -> Vec<FieldError> {
        Vec::new()
    }

    async fn submit(&self, _: &CallContext, submission: &Submission) -> SubmitReport {
        let vendor = VendorRef::order(self.books().make(submission.items[0].reference, false));
        let carries = Carries::Ours(submission.items[0].reference);
        let accepted = Accepted { vendor, provisional: false, reused: false, carries, snapshot: None };
        SubmitReport::all(submission, &ItemOutcome::Accepted(Box::new(accepted)), Evidence::default())
    }

    async fn locate(&self, _: &CallContext, query: &LocateQuery) -> Sightings {
        let books = self.books();
        let mut seen = Sightings { complete: true, pages: 1, calls: 1, echoes: true, ..Sightings::default() };
        for object in &books.objects {
            seen.objects += 1;
            seen.listed.push(Listed { id: object.id.clone(), created_at: None });
            if object.shows && query.sought.iter().any(|sought| sought.reference == object.reference) {
                let vendor = VendorRef::order(&object.id);
                seen.found.push(Sighting { reference: object.reference, vendor, created_at: None });
            }
        }
        seen
    }

    async fn sweep(&self, _: &CallContext, _: &SweepQuery) -> Sightings {
        Sightings { complete: true, ..Sightings::default() }
    }

    async fn fetch(&self, _: &CallContext, vendor: &VendorRef) -> Result<Fetched, CallError> {
        let books = self.books();
        let Some(object) = books.objects.iter().find(|object| object.id == vendor.order_id) else {
            return Ok(Fetched::Missing);
        };
        Ok(Fetched::Found(Box::new(snapshot(object))))
    }

    async fn cancel(&self, _: &CallContext, _: &VendorRef, _: &Reason) -> Result<CancelAnswer, CallError> {
        Ok(CancelAnswer::AlreadyEnded)
    }

    async fn document(&self, _: &CallContext, _: &DocumentRef) -> Result<ByteStream, CallError> {
        Err(CallError::Lost { why: LostReason::Unreadable })
    }

    /// The body is the id of the object that it tells of.
    fn receive_hook(&self, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
        let id = String::from_utf8_lossy(&request.body).into_owned();
        let books = self.books();
        let object = books.objects.iter().find(|object| object.id == id).ok_or(HookRefused::Unreadable)?;
        Ok(vec![HookNews {
            dedupe_key: id,
            reference: object.shows.then_some(object.reference),
            vendor: Some(VendorRef::order(&object.id)),
            says: HookSays::Snapshot(Box::new(snapshot(object))),
        }])
    }

    fn bulk(&self) -> Option<&dyn Bulk> {
        Some(self)
    }

    async fn probe(&self, _: &CallContext) -> Result<(), ProbeFault> {
        Ok(())
    }
}

fn snapshot(object: &Object) -> Snapshot {
    let (result, reason) = (None, None);
    Snapshot {
        part_id: None,
        carries: if object.shows { Carries::Ours(object.reference) } else { Carries::Nothing },
        vendor_time: None,
        native_status: "done".into(),
        standing: Standing::Completed { outcome: Outcome::Clear, result, reason, certainty: Certainty::Full },
        documents: Vec::new(),
        payload: Sensitive::default(),
    }
}
