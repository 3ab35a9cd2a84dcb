//! `vetgate cases resolve`

use clap::{ArgGroup, Args};
use serde_json::{Value, json};

use super::show;
use crate::client::Client;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("decisions").required(true).multiple(true))]
pub struct Options {
    #[arg(value_name = "CASE")]
    id: String,
    /// This is the vendor's order of the check
    #[arg(long, value_name = "CHECK=VENDOR_ORDER", group = "decisions", value_parser = binding)]
    bind: Vec<(String, String)>,
    /// The vendor does not have it: send it again
    #[arg(long, value_name = "CHECK", group = "decisions")]
    resend: Vec<String>,
    /// Give the check up
    #[arg(long, value_name = "CHECK", group = "decisions")]
    fail: Vec<String>,
    /// Have this duplicate canceled at the vendor; one that this case recorded
    #[arg(long, value_name = "VENDOR_ORDER", group = "decisions")]
    cancel: Vec<String>,
    /// Why. Kept with the decision
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub async fn resolve(client: &Client, options: Options, json: bool) -> anyhow::Result<()> {
    let body = request(&options);
    let case = client.post(&["reconciliation", "cases", &options.id, "resolve"], Some(&body)).await?;
    show::print(&case, json)
}

fn request(options: &Options) -> Value {
    let bind = options
        .bind
        .iter()
        .map(|(check, vendor_order)| json!({ "check_id": check, "decision": "bind", "vendor_order_id": vendor_order }));
    let rest = [("resend", &options.resend), ("fail", &options.fail)];
    let rest = rest.into_iter().flat_map(|(decision, checks)| {
        checks.iter().map(move |check| json!({ "check_id": check, "decision": decision }))
    });
    json!({
        "items": bind.chain(rest).collect::<Vec<_>>(), "cancel_vendor_orders": options.cancel, "note": options.note,
    })
}

fn binding(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((check, vendor_order)) if !check.is_empty() && !vendor_order.is_empty() => {
            Ok((check.to_owned(), vendor_order.to_owned()))
        }
        _ => Err("expected the check's id, =, and the vendor's order: chk_01…=ord_789".to_owned()),
    }
}
