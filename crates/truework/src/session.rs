//! Applicants' sessions in versions before 2023-10-30: the applicant signs in through the vendor's widget, and what comes of
//! it is a verification request like any other.
//!
//! A session cannot be looked at again. Its verification shows up in the list, with the reference in its metadata, once the
//! applicant has signed in. So a check is not made by one (2023-10-30 has Direct orders for that); this is the call alone.

use domain::{CheckInput, OrderInput, Reference};
use provider::{CallContext, CallError, LostReason, vendor_id};
use secrecy::SecretString;

use crate::client::{bad_request, unexpected};
use crate::options::Options;
use crate::request::{Asked, older};
use crate::{Truework, wire};

/// A way in for one applicant.
pub struct Session {
    pub id: String,
    /// Opens the vendor's widget.
    pub token: SecretString,
}

impl Truework {
    /// Opens a session. One that was opened twice costs nothing: only completed verifications do.
    pub async fn open_session(
        &self,
        ctx: &CallContext,
        order: &OrderInput,
        check: &CheckInput,
        reference: Reference,
    ) -> Result<Session, CallError> {
        let version = self.settings.version;
        if version.has_orders() {
            return Err(bad_request());
        }
        let asked = Asked::of(check).ok_or_else(bad_request)?;
        let options = Options::read(check, version).map_err(|_| bad_request())?;
        let body = older::session(order, &asked, options, reference).ok_or_else(bad_request)?;
        let body = serde_json::to_vec(&body).map_err(|_| bad_request())?;
        let answer = self.client.session(ctx, body).await?;
        if !matches!(answer.status.as_u16(), 200 | 201) {
            return Err(unexpected(&answer));
        }
        let session: wire::older::Session = answer.json()?;
        let id = session.id.as_deref().and_then(vendor_id);
        let token = session.token.filter(|token| !token.is_empty());
        id.zip(token)
            .map(|(id, token)| Session { id, token: token.into() })
            .ok_or(CallError::Lost { why: LostReason::Unreadable })
    }
}
