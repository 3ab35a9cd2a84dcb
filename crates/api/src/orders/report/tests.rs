//! The same report in all its forms.

use std::time::Instant;

use lopdf::Document;

use super::samples::{at, report, usd};
use super::{Report, html, pdf};

/// A text without its spaces: lines are broken anywhere.
fn squeezed(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

fn page(report: &Report) -> String {
    html::render(&report.paper()).expect("a page").html
}

fn read(bytes: &[u8]) -> (Document, String) {
    let document = Document::load_mem(bytes).expect("a PDF");
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    let text = document.extract_text(&pages).expect("text");
    (document, text)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;").replace('"', "&#34;").replace('\'', "&#39;")
}

/// Writes what came out to a folder, for somebody to look at.
fn keep(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("REPORT_SAMPLES") {
        std::fs::write(std::path::Path::new(&folder).join(name), bytes).expect("written");
    }
}

#[test]
fn the_page_and_the_pdf_say_the_same() {
    let report = report("Zoë", 1, 12);
    let (page, bytes) = (page(&report), pdf::render(&report.paper()).expect("a PDF"));
    keep("report.html", page.as_bytes());
    keep("report.pdf", &bytes);
    let (_, text) = read(&bytes);
    let text = squeezed(&text);
    let paper = report.paper();
    for said in paper.texts().filter(|said| !said.is_empty()) {
        assert!(page.contains(&escaped(said)), "not on the page: {said}");
        assert!(text.contains(&squeezed(said)), "not in the PDF: {said}\n{text}");
    }
    assert!(paper.texts().count() > 300);
}

#[test]
fn a_report_shows_what_an_officer_files() {
    let page = page(&report("Zoë", 1, 2));
    for said in [
        "Zoë Smith",
        "***-**-6789",
        "1990-**-**",
        "Permissible purpose",
        "2026-11-20 10:00:00 UTC",
        "Senior Software Engineer",
        "Employment verification",
        "Żółty Łoś",
        "Инженер",
        "Junior engineer",
        "Discrepancy",
        "Reason for leaving",
        "150000.00 USD annually",
        "175000.00 USD",
        "Ελληνική Εταιρεία",
        "No record",
        "acme: search",
        "42.95 USD",
        "31 min 5 s",
        "1 h 31 min 7 s",
        "66.25 USD",
        "Policía Nacional",
        "The faces differ. (V17)",
        "***.pdf",
        "order.created",
        "ATS-4711",
        "**-***6789",
    ] {
        assert!(page.contains(said), "{said}");
    }
    for hidden in [
        "123-45-6789",
        "05-15",
        "john.smith",
        "456 Oak",
        "1032456701",
        "reviewer@",
        "hanna@",
        "Somebody",
        "0042",
        "Gómez.pdf",
        "<b>",
    ] {
        assert!(!page.contains(hidden), "{hidden}");
    }
}

#[test]
fn costs_add_up_and_are_not_guessed() {
    let costs = report("Zoë", 1, 0).costs;
    let told: Vec<_> = costs
        .attempts
        .iter()
        .map(|attempt| {
            (
                attempt.attempt,
                attempt.provider.as_str(),
                attempt.product.as_deref(),
                attempt.price.clone(),
                attempt.took_seconds,
            )
        })
        .collect();
    let took = Some(1_865);
    assert_eq!(
        told,
        [
            (1, "acme", Some("search"), Some(usd("23.00")), took),
            (2, "zenith", None, Some(usd("42.95")), took),
            (1, "acme", None, Some(usd("0.30")), took),
            (1, "orbit", None, None, took),
            (1, "orbit", None, None, took),
        ]
    );
    assert_eq!((costs.totals, costs.unpriced), (vec![usd("66.25")], 2));
    assert_eq!(costs.attempts[1].submitted_at, Some(at("2026-11-21T10:00:02Z")));
}

#[test]
fn the_pdf_is_tagged_titled_and_its_pages_are_numbered() {
    let report = report("Zoë", 1, 60);
    let bytes = pdf::render(&report.paper()).expect("a PDF");
    let (document, text) = read(&bytes);
    let count = document.get_pages().len();
    assert!(count > 3);
    for number in 1..=count {
        assert!(squeezed(&text).contains(&format!("Page{number}of{count}")), "page {number}");
    }
    let catalog = document.catalog().expect("a catalog");
    for key in [&b"StructTreeRoot"[..], b"Outlines", b"MarkInfo", b"Lang"] {
        assert!(catalog.has(key), "{}", String::from_utf8_lossy(key));
    }
    let raw = String::from_utf8_lossy(&bytes);
    assert!(raw.contains("pdfuaid:part") && raw.contains("/FontFile2"), "accessible by the book, its font embedded");
    assert!(raw.contains(&format!("Report on order {}", report.order.id)) && !raw.contains("Zoë"));
}

#[test]
fn letters_that_the_font_lacks_do_not_stop_a_report() {
    let report = report("漢字", 1, 1);
    let bytes = pdf::render(&report.paper()).expect("a PDF");
    let (_, text) = read(&bytes);
    assert!(
        squeezed(&text).contains("fontofthisdocumentlackssomeletters") && squeezed(&text).contains("Smith"),
        "{text}"
    );
    assert!(page(&report).contains("漢字 Smith"));
    let (_, text) = read(&pdf::render(&super::samples::report("Zoë", 1, 1).paper()).expect("a PDF"));
    assert!(!squeezed(&text).contains("lackssomeletters"));
}

#[test]
fn whatever_a_text_holds_it_stays_a_text() {
    let evil = "<script>alert(1)</script>\u{0} \" ' & \u{202e}\n{{ 7*7 }}";
    let report = report(evil, 1, 1);
    let page = page(&report);
    assert!(!page.contains("<script") && page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"), "{page}");
    let (_, text) = read(&pdf::render(&report.paper()).expect("a PDF"));
    assert!(squeezed(&text).contains("<script>alert(1)</script>"), "{text}");
}

#[test]
fn the_policy_allows_the_style_and_nothing_else() {
    let page = html::render(&report("Zoë", 1, 1).paper()).expect("a page");
    let (_, rest) = page.html.split_once("<style>").expect("a style");
    let (style, rest) = rest.split_once("</style>").expect("an end");
    assert!(!rest.contains("<style") && !page.html.contains(" style="));
    assert!(style.contains("Order ord_"), "the printed foot names the order");
    let digest = ring_digest(style);
    let policy = page.policy.to_str().expect("a policy");
    assert!(
        policy.contains(&format!("style-src 'sha256-{digest}'")) && policy.starts_with("default-src 'none'"),
        "{policy}"
    );
    for loaded in ["src=", "http://", "https://", "@import", "url("] {
        assert!(!page.html.contains(loaded), "{loaded}");
    }
}

fn ring_digest(text: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text))
}

/// 20 checks with an attempt more for a quarter of them, and 1,000 events: the largest there is without findings.
#[test]
fn the_largest_report_is_whole() {
    let report = report("Zoë", 5, 1_000);
    let paper = report.paper();
    let started = Instant::now();
    let page = html::render(&paper).expect("a page").html;
    let set = started.elapsed();
    let started = Instant::now();
    let bytes = pdf::render(&paper).expect("a PDF");
    let drawn = started.elapsed();
    keep("large.pdf", &bytes);
    keep("large.html", page.as_bytes());
    let (document, text) = read(&bytes);
    println!(
        "{} kB of HTML in {set:?}, {} pages of PDF, {} kB, in {drawn:?}",
        page.len() / 1_000,
        document.get_pages().len(),
        bytes.len() / 1_000
    );
    let text = squeezed(&text);
    for number in [0, 1, 500, 999] {
        let said = format!("Number: {number}; ");
        assert!(page.contains(&said) && text.contains(&squeezed(&said)), "event {number}");
    }
    assert!(text.contains("Check20:identityverification"));
}
