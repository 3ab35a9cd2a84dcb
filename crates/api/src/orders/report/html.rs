//! The report as a page: for the screen and for the printer, with nothing to load and nothing to run.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use sha2::{Digest as _, Sha256};

use super::paper::{Block, Level, Paper};
use super::words;

const STYLE: &str = include_str!("../../../templates/report.css");

/// Where the order's id goes in the style: the printed page has it at its foot.
const FOOT: &str = "ORDER";

pub struct Page {
    pub html: String,
    /// Its own style, and nothing else.
    pub policy: HeaderValue,
}

/// Puts a report into a page. Whatever a text holds, it stays a text.
pub fn render(paper: &Paper) -> Result<Page, askama::Error> {
    let style = STYLE.replace(FOOT, &paper.order);
    let digest = STANDARD.encode(Sha256::digest(&style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::try_from(policy).map_err(askama::Error::custom)?;
    Ok(Page { html: Sheet { paper, style: &style }.render()?, policy })
}

#[derive(Template)]
#[template(path = "report.html")]
struct Sheet<'p> {
    paper: &'p Paper,
    style: &'p str,
}

impl Sheet<'_> {
    fn generated(&self) -> String {
        words::utc(self.paper.generated_at)
    }
}
