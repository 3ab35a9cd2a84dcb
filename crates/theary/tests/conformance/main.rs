//! The adapter at its simulator: the suite that every adapter passes, and what is Theary's own.

mod batches;
mod bench;
mod hooks;
mod locating;
mod samples;
mod singles;

// Every rule but one: no page of the vendor says that a 429 comes before the work, so here it is unknown rather than
// not sent. See `singles::a_rate_limit_proves_nothing_and_pauses_the_account`.
provider::conformance_suite! { @rules crate::bench::bench;
    create::every_sample_is_accepted
    create::every_sample_comes_to_its_end
    create::a_batch_is_accepted_whole
    unsent::a_refused_connection_is_not_sent
    unsent::a_short_lease_is_not_sent
    unsent::bad_credentials_are_not_sent
    unsent::a_probe_tells_what_is_wrong
    lost::a_lost_answer_is_unknown_and_found_again
    lost::a_refusal_after_the_work_is_never_called_unsent
    locate::ours_are_found_among_strangers
    locate::every_copy_is_found
    locate::what_could_not_be_read_is_said
    fetch::an_unknown_object_is_missing
    fetch::a_failed_fetch_is_an_error
    fetch::documents_are_read
    cancel::a_cancel_does_what_the_descriptor_says
    cancel::a_failed_cancel_is_an_error
    hooks::only_authentic_hooks_are_read
    validate::every_missing_input_is_named
    validate::what_the_vendor_does_not_offer_is_refused
}
