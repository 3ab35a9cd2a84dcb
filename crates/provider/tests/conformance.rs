//! The suite itself: a sound adapter for a made-up vendor passes, and each of many flaws is found.

mod shop {
    pub mod adapter;
    pub mod simulator;
}

use std::sync::Arc;

use domain::input::BackgroundCheck;
use domain::{CheckInput, CheckSpec, Consent, OrderInput, Outcome, Person, Purpose, Subject, Timestamp};
use provider::VendorHttp;
use provider::conformance::{Bench, Control, Ends, HookSamples, Sample, nowhere, rules};
use shop::adapter::{Adapter, Flaw, good_hook, hook};
use shop::simulator;

fn sample() -> Sample {
    let person = Person {
        first_name: Some("Marisol".to_owned()),
        email: Some("marisol@example.test".to_owned()),
        phone: Some("+573001234567".to_owned()),
        ..Person::default()
    };
    let consent = Consent { obtained_at: Timestamp::EPOCH, text_version: None, expires_at: None, document: None };
    let spec = BackgroundCheck { country: "CO".to_owned(), ..BackgroundCheck::default() };
    Sample {
        name: "a person",
        order: OrderInput { subject: Subject::Person(person), position: None, purpose: Purpose::Employment, consent },
        check: CheckInput::new(CheckSpec::BackgroundCheck(spec), serde_json::Map::new()),
        ends: Ends::Completed(Outcome::Clear),
    }
}

async fn bench_with(flaw: Option<Flaw>) -> Bench {
    let simulator = simulator::start().await;
    let http = VendorHttp::new();
    Bench {
        provider: Arc::new(Adapter::new(&http, simulator.base_url(), simulator::KEY, flaw)),
        with_bad_credentials: Arc::new(Adapter::new(&http, simulator.base_url(), "bad", flaw)),
        unreachable: Arc::new(Adapter::new(&http, &nowhere(), simulator::KEY, flaw)),
        control: Control::at(simulator.base_url().clone()),
        samples: vec![sample()],
        hooks: HookSamples { authentic: vec![good_hook()], forged: vec![hook("forged", Timestamp::EPOCH)] },
        rate_limit_is_proof: true,
        keep: Box::new(simulator),
    }
}

async fn bench() -> Bench {
    bench_with(None).await
}

provider::conformance_suite!(bench);

macro_rules! finds {
    ($($test:ident: $flaw:ident by $module:ident::$rule:ident, $message:literal;)+) => {$(
        #[tokio::test]
        #[should_panic(expected = $message)]
        async fn $test() {
            rules::$module::$rule(async || bench_with(Some(Flaw::$flaw)).await).await;
        }
    )+};
}

finds! {
    finds_unsent_errors: TakesErrorsForUnsent by lost::a_lost_answer_is_unknown_and_found_again, "status_before 500";
    finds_repeated_creates: CreatesAgain by lost::a_lost_answer_is_unknown_and_found_again, "made exactly once";
    finds_false_completeness: CallsEveryLookComplete by locate::what_could_not_be_read_is_said, "called complete";
    finds_a_look_cut_short: StopsAtTheFirstPage by locate::ours_are_found_among_strangers, "left == right";
    finds_uncounted_reading: CountsRowsAsRead by locate::ours_are_found_among_strangers, "candidates that were read";
    finds_a_sweep_that_must_be_told: FindsTheSoughtOnly by sweep::a_sweep_tells_ours_from_the_rest, "without being told";
    finds_unnoticed_strangers: DismissesNobody by sweep::a_sweep_tells_ours_from_the_rest, "whatever is not ours";
    finds_dismissed_orders_of_ours: DismissesEverybody by sweep::a_sweep_says_what_it_could_not_read, "ours was dismissed";
    finds_talk_of_what_is_settled: SpeaksOfTheSettled by sweep::a_sweep_tells_ours_from_the_rest, "nothing of what is settled";
    finds_talk_of_other_times: SweepsAllTimes by sweep::a_sweep_tells_ours_from_the_rest, "made at another time";
    finds_a_sweep_cut_short: StopsAtTheFirstPage by sweep::a_sweep_tells_ours_from_the_rest, "without being told";
    finds_a_falsely_complete_sweep: CallsEveryLookComplete by sweep::a_sweep_says_what_it_could_not_read, "called complete";
    finds_false_absence: TakesErrorsForMissing by fetch::a_failed_fetch_is_an_error, "Missing";
    finds_an_open_door: TakesAnyHook by hooks::only_authentic_hooks_are_read, "was taken";
    finds_a_missing_rule: ForgetsTheEmail by validate::every_missing_input_is_named, "without /order/subject/email";
    finds_quoted_values: QuotesNames by validate::every_missing_input_is_named, "personal data";
}
