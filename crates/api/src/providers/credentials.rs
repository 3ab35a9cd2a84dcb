//! `/v1/providers/{provider}/credentials`: the client's own logins for databases that the vendor searches with them. They go
//! to the vendor and are kept, shown and logged nowhere here.

pub mod delete;
pub mod list;
pub mod put;

/// The database's id, as the path has it behind the vendor.
fn database(path: &[String]) -> String {
    path.get(1).cloned().unwrap_or_default()
}
