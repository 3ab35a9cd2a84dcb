//! The suite that every adapter passes, over sockets, against its vendor's simulator.
//!
//! An adapter's `tests/conformance.rs` builds a [`Bench`] and names it to the macro, which makes one test per rule:
//!
//! ```ignore
//! async fn bench() -> Bench {
//!     let simulator = sandbox::vendor::start(0, SimClock::wall(), Config::default()).await.expect("a simulator");
//!     Bench {
//!         provider: Arc::new(adapter(simulator.base_url(), "good key")),
//!         with_bad_credentials: Arc::new(adapter(simulator.base_url(), "bad key")),
//!         unreachable: Arc::new(adapter(&conformance::nowhere(), "good key")),
//!         control: Control::at(simulator.base_url().clone()),
//!         samples: vec![Sample { name: "…", order, check, ends: Ends::Completed(Outcome::Clear) }],
//!         hooks: HookSamples::default(),
//!         rate_limit_is_proof: true,
//!         keep: Box::new(simulator),
//!     }
//! }
//!
//! provider::conformance_suite!(bench);
//! ```
//!
//! Each rule starts as many benches as it needs, so that nothing of one case shows in another. The first sample is the one
//! that faults are tried on. The simulator is driven by the control protocol only (`/_sandbox/…`), so it may as well run
//! elsewhere.

mod bench;
mod control;
mod faults;
pub mod rules;

pub use bench::{Bench, Ends, HookSamples, Sample, nowhere};
pub use control::{Books, Control, Entry};

/// Makes one test per rule. Takes the path of an `async fn() -> Bench`. See [`conformance`](crate::conformance).
#[macro_export]
macro_rules! conformance_suite {
    ($make:path) => {
        $crate::conformance_suite! { @rules $make;
            create::every_sample_is_accepted
            create::every_sample_comes_to_its_end
            create::a_batch_is_accepted_whole
            unsent::a_refused_connection_is_not_sent
            unsent::a_short_lease_is_not_sent
            unsent::a_rate_limit_is_not_sent_and_pauses_the_account
            unsent::bad_credentials_are_not_sent
            unsent::a_probe_tells_what_is_wrong
            lost::a_lost_answer_is_unknown_and_found_again
            lost::a_refusal_after_the_work_is_never_called_unsent
            locate::ours_are_found_among_strangers
            locate::every_copy_is_found
            locate::what_could_not_be_read_is_said
            sweep::a_sweep_tells_ours_from_the_rest
            sweep::a_sweep_says_what_it_could_not_read
            fetch::an_unknown_object_is_missing
            fetch::a_failed_fetch_is_an_error
            fetch::documents_are_read
            cancel::a_cancel_does_what_the_descriptor_says
            cancel::a_failed_cancel_is_an_error
            hooks::only_authentic_hooks_are_read
            validate::every_missing_input_is_named
            validate::what_the_vendor_does_not_offer_is_refused
        }
    };
    (@rules $make:path; $($module:ident::$rule:ident)+) => {$(
        #[tokio::test]
        async fn $rule() {
            $crate::conformance::rules::$module::$rule($make).await;
        }
    )+};
}
