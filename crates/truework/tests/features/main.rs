//! What the vendor has beyond a plain order, end to end: Direct orders and several verifications, reverification, events,
//! older versions and their sessions, signed answers.

#[path = "../bench/mod.rs"]
mod bench;
mod direct;
mod older;
mod reports;
mod reverification;
mod sessions;
mod signatures;
mod site;
mod timeline;
