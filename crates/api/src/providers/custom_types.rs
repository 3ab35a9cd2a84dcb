//! `/v1/providers/{provider}/custom-types`: check types of a vendor account's own.

pub mod create;
pub mod delete;
pub mod list;
pub mod replace;
pub mod view;

/// Country and name, as the path has them behind the vendor.
fn named(path: &[String]) -> [String; 2] {
    [1, 2].map(|at| path.get(at).cloned().unwrap_or_default())
}
