//! An adapter for the made-up vendor: the smallest that passes, and flaws to show that the suite finds them.

use async_trait::async_trait;
use bytes::Bytes;
use domain::case::{Listed, Sighting, Sightings};
use domain::{
    AfterAbsence, Certainty, CheckInput, CheckSpec, CheckType, FieldError, OrderInput, Outcome, ProviderId, Reason,
    Sensitive, Standing, Timestamp, VendorRef,
};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, StatusCode};
use provider::{
    Accepted, ByteStream, CallContext, CallError, CancelAnswer, CancelSupport, Carries, Descriptor, DocumentRef,
    Evidence, Fetched, HookAuthentication, HookNews, HookRefused, HookRequest, HookSays, ItemOutcome, LocateQuery,
    LostReason, ProbeFault, Product, Provider, Snapshot, Submission, SubmitReport, SweepQuery, Timing, VendorAnswer,
    VendorHttp, VendorRequest,
};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use url::Url;

/// What an adapter can get wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    TakesErrorsForUnsent,
    CreatesAgain,
    CallsEveryLookComplete,
    TakesErrorsForMissing,
    TakesAnyHook,
    ForgetsTheEmail,
    QuotesNames,
    StopsAtTheFirstPage,
    FindsTheSoughtOnly,
    DismissesNobody,
    DismissesEverybody,
    SpeaksOfTheSettled,
    SweepsAllTimes,
    CountsRowsAsRead,
}

pub struct Adapter {
    descriptor: Descriptor,
    http: VendorHttp,
    base_url: Url,
    key: &'static str,
    flaw: Option<Flaw>,
}

#[derive(Deserialize)]
struct Created {
    id: String,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    state: String,
    note: Option<String>,
    at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Page {
    rows: Vec<Row>,
    more: bool,
}

const TOKEN: &str = "shop-hook-token";

impl Adapter {
    pub fn new(http: &VendorHttp, base_url: &Url, key: &'static str, flaw: Option<Flaw>) -> Self {
        let product =
            Product { check_type: CheckType::BackgroundCheck, countries: vec!["CO"], required_inputs: Vec::new() };
        let timing = Timing {
            settle: Duration::from_mins(2),
            timeout: Duration::from_secs(20),
            poll_min: Duration::from_secs(20),
            poll_max: Duration::from_mins(15),
            rate: None,
        };
        let descriptor = Descriptor {
            id: ProviderId::new("shop"),
            display_name: "Shop",
            products: vec![product],
            batch_size: 1,
            cancel: CancelSupport::Yes,
            hooks: HookAuthentication::StaticToken,
            reuses_objects: false,
            timing,
        };
        Self { descriptor, http: http.clone(), base_url: base_url.clone(), key, flaw }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn request(&self, method: Method, path: &[&str]) -> VendorRequest {
        let mut url = self.base_url.clone();
        // Segments are encoded one by one: an id cannot lead elsewhere.
        url.path_segments_mut().expect("a base").clear().extend(path);
        VendorRequest::new(method, url).header(AUTHORIZATION, HeaderValue::from_static(self.key))
    }

    async fn ask(&self, ctx: &CallContext, method: Method, path: &[&str]) -> Result<VendorAnswer, CallError> {
        self.http.send(ctx, self.request(method, path)).await
    }

    fn note(&self, seen: &mut Sightings, query: &LocateQuery, row: Row) {
        seen.objects += 1;
        seen.read += u32::from(self.has(Flaw::CountsRowsAsRead));
        let in_window = row.at.is_none_or(|at| (query.since..=query.until).contains(&at));
        if !in_window && !self.has(Flaw::SweepsAllTimes) {
            return;
        }
        seen.listed.push(Listed { id: row.id.clone(), created_at: row.at });
        if query.settled.contains(&row.id) && !self.has(Flaw::SpeaksOfTheSettled) {
            return;
        }
        let sweeps = query.sought.is_empty();
        match Carries::read(row.note.as_deref()) {
            _ if sweeps && self.has(Flaw::DismissesEverybody) => seen.dismissed.push(row.id),
            Carries::Ours(reference) => {
                let is_sought = query.sought.iter().any(|sought| sought.reference == reference);
                if is_sought || !self.has(Flaw::FindsTheSoughtOnly) {
                    seen.found.push(Sighting { reference, vendor: VendorRef::order(row.id), created_at: row.at });
                }
            }
            _ if sweeps && !self.has(Flaw::DismissesNobody) => seen.dismissed.push(row.id),
            _ => {}
        }
    }

    async fn page(&self, ctx: &CallContext, page: u32) -> Result<Page, CallError> {
        let mut request = self.request(Method::GET, &["orders"]);
        request.url.set_query(Some(&format!("page={page}")));
        let answer = self.http.send(ctx, request).await?;
        if answer.status == StatusCode::OK { answer.json() } else { Err(unexpected(answer.status)) }
    }

    fn create(&self, submission: &Submission) -> VendorRequest {
        let item = &submission.items[0];
        let person = item.order.subject.as_person();
        let body = json!({
            "note": item.reference,
            "name": person.and_then(|person| person.first_name.clone()),
            "email": person.and_then(|person| person.email.clone()),
        });
        self.request(Method::POST, &["orders"]).body("application/json", body.to_string())
    }

    fn read_created(&self, answer: &VendorAnswer) -> ItemOutcome {
        let unknown =
            |why: LostReason, then| ItemOutcome::Unknown { why: Reason::new(why.code(), why.to_string()), then };
        match answer.status {
            StatusCode::CREATED => match answer.json::<Created>() {
                Ok(created) if provider::vendor_id(&created.id).is_some() => {
                    ItemOutcome::Accepted(Box::new(Accepted {
                        vendor: VendorRef::order(created.id),
                        provisional: false,
                        reused: false,
                        carries: Carries::Nothing,
                        snapshot: None,
                    }))
                }
                _ => unknown(LostReason::Unreadable, AfterAbsence::Resend),
            },
            StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS => {
                let why = Reason::new("refused", "The vendor refused before working.");
                ItemOutcome::NotSent { why, retry_after: answer.retry_after() }
            }
            status if status.is_server_error() && self.has(Flaw::TakesErrorsForUnsent) => {
                ItemOutcome::NotSent { why: Reason::new("server_error", "It must have failed."), retry_after: None }
            }
            status if status.is_client_error() => {
                let reason = Reason::new("vendor_refused", "The vendor refused the order.");
                unknown(LostReason::Status(status.as_u16()), AfterAbsence::Fail { reason })
            }
            status => unknown(LostReason::Status(status.as_u16()), AfterAbsence::Resend),
        }
    }
}

fn unexpected(status: StatusCode) -> CallError {
    CallError::Lost { why: LostReason::Status(status.as_u16()) }
}

#[async_trait]
impl Provider for Adapter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn validate(&self, order: &OrderInput, check: &CheckInput) -> Vec<FieldError> {
        let mut faults = Vec::new();
        match &check.spec {
            CheckSpec::BackgroundCheck(check) if check.country == "CO" => {}
            _ => faults.push(FieldError::check("/type", "not_supported", "This vendor checks people in Colombia.")),
        }
        if let Some(option) = check.vendor_options.keys().next() {
            faults.push(FieldError::check(
                format!("/vendor_options/{option}"),
                "unknown_field",
                "There is no such option.",
            ));
        }
        let Some(person) = order.subject.as_person() else {
            faults.push(FieldError::order("/subject/type", "not_supported", "This vendor checks people."));
            return faults;
        };
        if person.first_name.is_none() {
            faults.push(FieldError::order("/subject/first_name", "required", "Give the first name."));
        }
        if person.email.is_none() && !self.has(Flaw::ForgetsTheEmail) {
            let name = person.first_name.as_deref().filter(|_| self.has(Flaw::QuotesNames)).unwrap_or("the person");
            faults.push(FieldError::order("/subject/email", "required", format!("Give the address of {name}.")));
        }
        faults
    }

    async fn submit(&self, ctx: &CallContext, submission: &Submission) -> SubmitReport {
        let mut answer = self.http.send(ctx, self.create(submission)).await;
        if answer.is_err() && self.has(Flaw::CreatesAgain) {
            answer = self.http.send(ctx, self.create(submission)).await;
        }
        match answer {
            Ok(answer) => SubmitReport::all(submission, &self.read_created(&answer), Evidence::of(&answer)),
            Err(error) => SubmitReport::of_error(submission, &error, Duration::ZERO),
        }
    }

    async fn locate(&self, ctx: &CallContext, query: &LocateQuery) -> Sightings {
        let mut seen = Sightings::default();
        loop {
            let page = self.page(ctx, seen.pages).await;
            seen.calls = ctx.calls();
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    seen.complete = self.has(Flaw::CallsEveryLookComplete);
                    seen.incomplete_because = Some(error.to_string());
                    return seen;
                }
            };
            seen.pages += 1;
            for row in page.rows {
                self.note(&mut seen, query, row);
            }
            if !page.more || self.has(Flaw::StopsAtTheFirstPage) {
                seen.complete = true;
                return seen;
            }
        }
    }

    async fn sweep(&self, ctx: &CallContext, query: &SweepQuery) -> Sightings {
        self.locate(ctx, &query.clone().into()).await
    }

    async fn fetch(&self, ctx: &CallContext, vendor: &VendorRef) -> Result<Fetched, CallError> {
        let answer = self.ask(ctx, Method::GET, &["orders", &vendor.order_id]).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Fetched::Missing),
            _ if self.has(Flaw::TakesErrorsForMissing) => return Ok(Fetched::Missing),
            status => return Err(unexpected(status)),
        }
        let row: Row = answer.json()?;
        let standing = match row.state.as_str() {
            "open" => Standing::Working { estimated_completion_at: None },
            "stopped" => Standing::Canceled { reason: Reason::new("canceled", "It was canceled.") },
            "done" => {
                Standing::Completed { outcome: Outcome::Clear, result: None, reason: None, certainty: Certainty::Full }
            }
            _ => Standing::Unknown,
        };
        let report = DocumentRef {
            locator: row.id,
            kind: "report".to_owned(),
            media_type: "text/plain".to_owned(),
            filename: "report.txt".to_owned(),
        };
        Ok(Fetched::Found(Box::new(Snapshot {
            part_id: None,
            carries: Carries::read(row.note.as_deref()),
            vendor_time: None,
            native_status: row.state,
            documents: if standing.is_final() { vec![report] } else { Vec::new() },
            standing,
            payload: Sensitive::new(answer.body),
        })))
    }

    async fn cancel(&self, ctx: &CallContext, vendor: &VendorRef, _: &Reason) -> Result<CancelAnswer, CallError> {
        match self.ask(ctx, Method::DELETE, &["orders", &vendor.order_id]).await?.status {
            StatusCode::NO_CONTENT => Ok(CancelAnswer::Agreed),
            StatusCode::CONFLICT | StatusCode::NOT_FOUND => Ok(CancelAnswer::AlreadyEnded),
            status => Err(unexpected(status)),
        }
    }

    async fn document(&self, ctx: &CallContext, document: &DocumentRef) -> Result<ByteStream, CallError> {
        self.http.stream(ctx, self.request(Method::GET, &["orders", &document.locator, "report"])).await
    }

    fn receive_hook(&self, request: &HookRequest) -> Result<Vec<HookNews>, HookRefused> {
        let token = request.headers.get("x-shop-token").map(HeaderValue::as_bytes);
        if token != Some(TOKEN.as_bytes()) && !self.has(Flaw::TakesAnyHook) {
            return Err(HookRefused::NotAuthentic);
        }
        let row: Row = provider::http::read_json(&request.body).ok_or(HookRefused::Unreadable)?;
        let news = HookNews {
            dedupe_key: format!("{}/{}", row.id, row.state),
            reference: row.note.as_deref().and_then(|note| note.parse().ok()),
            vendor: Some(VendorRef::order(row.id)),
            says: HookSays::Changed,
        };
        Ok(vec![news])
    }

    async fn probe(&self, ctx: &CallContext) -> Result<(), ProbeFault> {
        match self.page(ctx, 0).await {
            Ok(_) => Ok(()),
            Err(CallError::Lost { why: LostReason::Status(401) }) => Err(ProbeFault::Credentials("401".to_owned())),
            Err(CallError::Lost { why }) => Err(ProbeFault::Unexpected(why.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}

/// A hook of the vendor with this token.
pub fn hook(token: &'static str, received_at: domain::Timestamp) -> HookRequest {
    let headers = [(http::HeaderName::from_static("x-shop-token"), HeaderValue::from_static(token))];
    let body = Bytes::from_static(br#"{"id":"S0010","state":"done","note":null,"at":null}"#);
    HookRequest { headers: headers.into_iter().collect(), body, received_at }
}

pub fn good_hook() -> HookRequest {
    hook(TOKEN, domain::Timestamp::EPOCH)
}
