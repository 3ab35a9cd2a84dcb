//! One person: where they worked, what they earn and what they learned, asked of one vendor after the other, with the
//! vendors' documents and the report for the file.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::scenario;
use super::tally::checks_of;
use crate::client::Client;

const EXTERNAL_ID: &str = "one person";

/// Truework's instant sources know nobody of this number, but the employer confirms; Theary verifies.
const SSN: &str = "000-99-0013";

const NO_REPORT: &Value = &Value::Null;

/// Employment is searched for at Truework first, and asked of the employer by Theary where that finds nothing.
pub fn order() -> Value {
    let mut order = scenario::order(EXTERNAL_ID, 0, &[]);
    order["subject"]["identifiers"] = json!([{ "type": "ssn", "country": "US", "value": SSN }]);
    let employer = json!({ "name": "Fake Company", "location": "Springfield, IL", "email": "hr@example.com" });
    order["checks"] = json!([
        {
            "type": "employment_verification", "provider": ["truework:employer-search", "theary"], "employer": employer,
            "title": "Software Engineer", "start_date": "2019-01-01",
        },
        {
            "type": "income_verification", "provider": "truework", "employer": employer, "title": "Software Engineer",
            "start_date": "2019-01-01", "include_analytics": true,
        },
        {
            "type": "education_verification", "provider": "theary", "institution": { "name": "Sample University" },
            "qualification": "BSc", "field_of_study": "Mathematics", "graduation_date": "2014-06-30",
        },
    ]);
    order
}

/// Whether this is the order and its first check has gone on to the last vendor.
pub fn is_at_its_last_vendor(order: &Value) -> bool {
    order["external_id"] == EXTERNAL_ID && order["checks"][0]["next_providers"].as_array().is_some_and(Vec::is_empty)
}

/// Everything that there is about the order.
pub struct Dossier {
    /// The report as JSON.
    report: Value,
    html: Vec<u8>,
    pdf: Vec<u8>,
    documents: Vec<Document>,
}

/// A vendor's document.
struct Document {
    id: String,
    filename: String,
    media_type: String,
    bytes: Vec<u8>,
}

impl Dossier {
    /// Takes documents and reports from the gateway, as any caller would.
    pub async fn gather(client: &Client, orders: &[Value]) -> anyhow::Result<Self> {
        let order = orders.iter().find(|order| order["external_id"] == EXTERNAL_ID);
        let id = order.and_then(|order| order["id"].as_str()).context("the order about one person is not there")?;
        let listed = client.get(&["orders", id, "documents"], &[]).await?;
        let mut documents = Vec::new();
        for document in listed["data"].as_array().into_iter().flatten() {
            let text = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
            let bytes = client.download(&["orders", id, "documents", &text("id")], &[]).await?.bytes().await?;
            documents.push(Document {
                id: text("id"),
                filename: text("filename"),
                media_type: text("media_type"),
                bytes: bytes.into(),
            });
        }
        let path = ["orders", id, "report"];
        let report = async |media_type| anyhow::Ok(client.download_as(&path, media_type).await?.bytes().await?);
        Ok(Self {
            report: client.get(&path, &[]).await?,
            html: report("text/html").await?.into(),
            pdf: report("application/pdf").await?.into(),
            documents,
        })
    }

    /// What each attempt cost, and how long it took.
    pub fn attempts(&self) -> impl Iterator<Item = &Value> {
        self.report["costs"]["attempts"].as_array().into_iter().flatten()
    }

    /// What an attempt found.
    pub fn verdict_of(&self, attempt: &Value) -> &Value {
        let check = checks_of(&self.report["order"]).find(|check| check["id"] == attempt["check_id"]);
        let before = attempt["attempt"].as_u64().and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
        let (Some(check), Some(before)) = (check, before) else { return NO_REPORT };
        let turn = check["attempts"].get(before).unwrap_or(check);
        &turn["result"]["verdict"]
    }

    /// How it reads, in two sentences.
    pub fn told(&self) -> String {
        let documents: Vec<_> = self
            .documents
            .iter()
            .map(|document| format!("{} ({}, {})", document.filename, document.media_type, size(document.bytes.len())))
            .collect();
        format!(
            "Documents: {}. Report: {} as HTML, {} as PDF.",
            if documents.is_empty() { "none".to_owned() } else { documents.join("; ") },
            size(self.html.len()),
            size(self.pdf.len())
        )
    }

    pub fn document(&self) -> Value {
        let documents = self.documents.iter().map(|document| {
            json!({
                "id": document.id, "filename": document.filename, "media_type": document.media_type,
                "bytes": document.bytes.len(),
            })
        });
        json!({
            "order_id": self.report["order"]["id"],
            "costs": self.report["costs"],
            "verdicts": self.attempts().map(|attempt| self.verdict_of(attempt)).collect::<Vec<_>>(),
            "documents": documents.collect::<Vec<_>>(),
            "report_bytes": { "html": self.html.len(), "pdf": self.pdf.len() },
        })
    }

    /// The files that somebody may keep, by their names.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let json = serde_json::to_vec_pretty(&self.report).unwrap_or_default();
        let mut files = vec![
            ("report.html".to_owned(), self.html.clone()),
            ("report.pdf".to_owned(), self.pdf.clone()),
            ("report.json".to_owned(), json),
        ];
        for document in &self.documents {
            let ending = document.filename.rsplit_once('.').map_or("bin", |(_, ending)| ending);
            files.push((format!("{}.{ending}", document.id), document.bytes.clone()));
        }
        files
    }

    /// What is not as it should be, in sentences.
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut must = |is_so: bool, what: &str| {
            if !is_so {
                complaints.push(format!("one person: {what}"));
            }
        };
        let found: Vec<_> = self
            .attempts()
            .map(|attempt| (text(&attempt["type"]), text(&attempt["provider"]), text(self.verdict_of(attempt))))
            .collect();
        let expected = [
            ("employment_verification", "truework", "no_record"),
            ("employment_verification", "theary", "verified"),
            ("income_verification", "truework", "verified"),
            ("education_verification", "theary", "verified"),
        ];
        must(found == expected, &format!("it came to {found:?}"));
        must(self.attempts().all(|attempt| attempt["took_seconds"].is_u64()), "an attempt has no time");
        let income = checks_of(&self.report["order"]).find(|check| check["type"] == "income_verification");
        let pay = income.map(|income| &income["result"]["income"]["pay_rate"]["amount"]);
        must(pay.is_some_and(Value::is_string), "the income has no amount");
        must(!self.documents.is_empty(), "there is no document");
        for document in &self.documents {
            let is_it = document.media_type != "application/pdf" || is_pdf(&document.bytes);
            must(is_it && !document.bytes.is_empty(), &format!("{} is no {}", document.filename, document.media_type));
        }
        let listed = self.report["documents"].as_array().map_or(0, Vec::len);
        must(listed == self.documents.len(), "the report does not list every document");
        must(is_pdf(&self.pdf), "the report is no PDF");
        let html = String::from_utf8_lossy(&self.html);
        must(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"), "the report is no page");
        let json = self.report.to_string();
        must(!html.contains(SSN) && !json.contains(SSN), "the report shows a whole number");
        complaints
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Whether it begins and ends as a PDF does.
fn is_pdf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"%PDF-") && bytes.trim_ascii_end().ends_with(b"%%EOF")
}

/// `12.3 kB`
fn size(bytes: usize) -> String {
    if bytes < 1_000 { format!("{bytes} bytes") } else { format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100) }
}
