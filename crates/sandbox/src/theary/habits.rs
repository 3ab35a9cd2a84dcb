//! The switches of the simulator.

use serde::{Deserialize, Serialize};

use super::tokens::TokenTenant;

/// How it behaves where the vendor's documents leave it open, and what it does badly on demand.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each with a name in the protocol")]
pub struct Habits {
    // ---- tokens ----
    /// How long the tokens live that are given out for client credentials. `null`: an hour, and the answer does not say so.
    pub token_life_s: Option<u64>,
    /// Whose they are: `ours`, `other`, or `missing` for a token without the claim.
    pub token_tenant: TokenTenant,
    /// What calls with a token without a tenant answer.
    pub tenantless_status: u16,
    /// The token endpoint is down, and answers this.
    pub token_endpoint_status: Option<u16>,
    /// So many calls from now on answer 401, however good their token is. The largest number there is (4294967295): all.
    pub refuse_calls: u32,
    // ---- batches ----
    /// The create of this order (from 0) of each batch throws.
    pub batch_throw_at: Option<usize>,
    /// The create of one order of every n-th batch call throws: the one of `batch_throw_at`, or the middle one. Counted
    /// from the first batch call of all. `null`: of each batch, where `batch_throw_at` says so.
    pub batch_throw_every: Option<usize>,
    /// The status that such a throw answers.
    pub batch_throw_status: u16,
    /// When an order of a batch throws, its siblings are made so long *after* the error was answered. 0: before it.
    pub siblings_after_error_ms: u64,
    /// Of those late siblings, so many are made before the error all the same.
    pub siblings_before_error: usize,
    /// The whole batch is validated before the first create, so that a 400 made nothing.
    pub batch_validates_first: bool,
    /// `ordersCreated` says one more than there are.
    pub batch_miscounts: bool,
    /// A success lists the orders backwards: every position is wrong, but for the middle one of an odd number.
    pub batch_shuffle: bool,
    /// A success leaves out so many of the orders that it made, from the end; `ordersCreated` counts them.
    pub batch_omits: usize,
    /// A success names the order of the first position at the last one, too.
    pub batch_repeats_id: bool,
    /// A success names at its first position the tenant's latest order that was made before this call, if there is one.
    pub batch_names_older: bool,
    /// A success says `success: false`, although all orders were made.
    pub batch_denies: bool,
    /// More orders than this in a batch answer 400.
    pub batch_cap: Option<usize>,
    /// A batch with a larger body answers 413.
    pub batch_body_bytes: usize,
    // ---- creates ----
    /// A create answers 200 instead of 201.
    pub post_status_200: bool,
    /// A search without a record in `history` answers 400.
    pub strict_history: bool,
    /// Fields that no page documents answer 400.
    pub strict_fields: bool,
    /// `http` releases and `qaDestinations` answer 400, as at the production host.
    pub production: bool,
    /// A salary of zero, and no worksite, are taken, as the vendor's own examples have them.
    pub lenient_context: bool,
    /// Upload links lead here instead of to the simulator.
    pub upload_link: Option<String>,
    /// An order whose release should have been uploaded and was not answers 400.
    pub release_must_exist: bool,
    /// One search per record of a type, all with the type's reference, instead of one per entry of `searchTypes`.
    pub search_per_record: bool,
    /// A create of several searches dies after so many of them: it answers 500, and the order is left with those.
    pub create_dies_after: Option<usize>,
    /// A success leaves out so many of the searches of an order with several, from the end: they were not made.
    pub create_leaves_out: usize,
    /// A success lists the searches of an order backwards.
    pub search_ids_backwards: bool,
    /// Ids are bare UUIDs, without `ord_` and `search_`.
    pub bare_ids: bool,
    // ---- the list ----
    /// An order is listed so long after it was made.
    pub list_lag_ms: u64,
    /// The list has a fixed order of its own instead of newest first: new rows appear anywhere.
    pub unordered: bool,
    /// The most rows of a page, whatever was asked for.
    pub list_cap: usize,
    /// List answers hold no `pagination`.
    pub no_pagination: bool,
    /// So many strangers, look-alikes of the latest order of ours, are made by each list call (each page, that is), after it
    /// was answered: pages drift down.
    pub strangers_per_list: usize,
    /// So many strangers, newest first, vanish from the list by each list call: pages drift up.
    pub vanish_per_list: usize,
    /// A deleted order vanishes from the list.
    pub deleted_vanish: bool,
    // ---- deleting ----
    /// A second delete answers as the first one, and changes nothing, instead of 404.
    pub delete_again_ok: bool,
    /// Deleting an order that has ended answers 400.
    pub delete_refuses_ended: bool,
    /// A search that a delete cancels sends `verification.completed` with the status `CANCELLED`.
    pub delete_tells: bool,
    // ---- searches ----
    /// 404s have the general form of errors instead of their own.
    pub general_404: bool,
    /// An order has no searches until so long after it was made.
    pub searches_lag_ms: u64,
    /// Each further search of an order is shown so long after the one before it.
    pub searches_apart_ms: u64,
    /// `{"searches": […]}` instead of a bare array.
    pub searches_wrapped: bool,
    /// GETs and hooks show the ids of searches bare, whatever the create's answer showed.
    pub bare_search_ids: bool,
    /// `verificationResult` is one object in GETs and a list in hooks, instead of the other way round.
    pub results_swapped: bool,
    /// `externalSearchId` is kept in the books and given back nowhere.
    pub drop_external_ids: bool,
    // ---- the work ----
    /// Working time until an order is taken up, and until its searches end.
    pub start_after_ms: u64,
    pub complete_after_ms: u64,
    /// Each further search of an order ends so long after the one before it.
    pub complete_apart_ms: u64,
    // ---- hooks ----
    /// `verification.notification` and `verification.action_required` go by the search's `webhookOverride` only.
    pub override_needed: bool,
    /// Every event is delivered twice, the second time under another `X-Event-Id`.
    pub redeliver: bool,
    /// All types of notifications are sent on the way, instead of a contact plan and an attempt.
    pub all_notifications: bool,
    /// The `reasonCode` of `verification.action_required`.
    pub action_reason: String,
    /// A search that needs an action stays `IN_PROGRESS` instead of becoming `REASSIGNED`.
    pub action_keeps_status: bool,
}

impl Habits {
    /// Which order's create throws in the n-th batch call, of so many orders.
    pub fn thrown(&self, call: usize, orders: usize) -> Option<usize> {
        match self.batch_throw_every {
            None => self.batch_throw_at,
            Some(every) if call.is_multiple_of(every.max(1)) => Some(self.batch_throw_at.unwrap_or(orders / 2)),
            Some(_) => None,
        }
    }
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            token_life_s: Some(86_400),
            token_tenant: TokenTenant::Ours,
            tenantless_status: 401,
            token_endpoint_status: None,
            refuse_calls: 0,
            batch_throw_at: None,
            batch_throw_every: None,
            batch_throw_status: 400,
            siblings_after_error_ms: 0,
            siblings_before_error: 0,
            batch_validates_first: false,
            batch_miscounts: false,
            batch_shuffle: false,
            batch_omits: 0,
            batch_repeats_id: false,
            batch_names_older: false,
            batch_denies: false,
            batch_cap: None,
            batch_body_bytes: 1024 * 1024,
            post_status_200: false,
            strict_history: true,
            strict_fields: true,
            production: false,
            lenient_context: false,
            upload_link: None,
            release_must_exist: true,
            search_per_record: false,
            create_dies_after: None,
            create_leaves_out: 0,
            search_ids_backwards: false,
            bare_ids: false,
            list_lag_ms: 0,
            unordered: false,
            list_cap: 100,
            no_pagination: false,
            strangers_per_list: 0,
            vanish_per_list: 0,
            deleted_vanish: false,
            delete_again_ok: false,
            delete_refuses_ended: false,
            delete_tells: false,
            general_404: false,
            searches_lag_ms: 0,
            searches_apart_ms: 0,
            searches_wrapped: false,
            bare_search_ids: false,
            results_swapped: false,
            drop_external_ids: false,
            start_after_ms: 30_000,
            complete_after_ms: 600_000,
            complete_apart_ms: 0,
            override_needed: true,
            redeliver: false,
            all_notifications: false,
            action_reason: "HUMAN_ESCALATION".to_owned(),
            action_keeps_status: false,
        }
    }
}
