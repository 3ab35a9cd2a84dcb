//! What the account's owner sets up, call by call.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Sensitive;
use provider::{
    Administration, AdministrationFault, CustomType, ItemOutcome, NamesMatching, Provider as _, SettingsChange, Share,
};
use sandbox::{Fault, FaultKind};
use serde_json::json;

use super::{Site, context, in_colombia, item, now};
use crate::support::colombian;

fn drivers(weights: &[(&str, f64)]) -> CustomType {
    let weights = weights.iter().map(|(data_set, weight)| ((*data_set).to_owned(), *weight)).collect();
    CustomType { country: "CO".to_owned(), name: "drivers".to_owned(), weights }
}

const FIRST: &[(&str, f64)] = &[("criminal_record", 0.75), ("traffic_fines", 0.25)];
const SECOND: &[(&str, f64)] = &[("criminal_record", 0.5), ("driving_licenses", 0.5)];

fn of(site: &Site) -> &dyn Administration {
    site.truora.administration().expect("it is offered")
}

#[tokio::test]
async fn sources_show_the_last_24_hours_of_each_database() {
    let site = Site::start().await;
    let asked_at = now();
    let sources = of(&site).sources(&context(Share::LookUp), "CO", asked_at).await.expect("sources");
    assert_eq!(sources.len(), 2);
    assert_eq!(sources[1].datasets, ["criminal_record", "legal_background"]);
    for source in &sources {
        assert_eq!(source.hours.len(), 24);
        assert!(source.id.starts_with("DBI") && source.name.ends_with("CO"));
        let last = source.hours[23].at;
        assert!(last <= asked_at && asked_at < last + Duration::from_hours(1), "{last}");
        assert!(source.hours.iter().all(|hour| hour.status != "undetermined"), "none is yet to come");
    }
    assert_eq!(sources[0].hours[23].status, "major_outage");
    assert_eq!(sources[1].hours[3].status, "degraded_performance");
    let elsewhere = of(&site).sources(&context(Share::LookUp), "co", asked_at).await;
    assert!(matches!(elsewhere, Err(AdministrationFault::Refused(_))), "{elsewhere:?}");
}

#[tokio::test]
async fn a_custom_type_is_made_used_changed_and_deleted() {
    let site = Site::start().await;
    let (desk, ctx) = (of(&site), context(Share::LookUp));
    assert_eq!(desk.custom_types(&ctx).await.expect("a list"), [], "the built-in ones are nobody's own");
    let mut check = item(&colombian("1032456701"), &json!({ "country": "CO", "custom_type": "drivers" }));
    assert!(!matches!(site.submit(&check).await, ItemOutcome::Accepted(_)), "there is no such type yet");

    assert_eq!(desk.create_custom_type(&ctx, &drivers(FIRST)).await, Ok(drivers(FIRST)));
    assert_eq!(desk.create_custom_type(&ctx, &drivers(SECOND)).await, Err(AdministrationFault::Exists));
    check.reference = super::again(&check).reference;
    site.order(&check).await;
    assert_eq!(desk.replace_custom_type(&ctx, &drivers(SECOND)).await, Ok(drivers(SECOND)));
    assert_eq!(desk.custom_types(&ctx).await.expect("a list"), [drivers(SECOND)]);

    assert_eq!(desk.delete_custom_type(&ctx, "CO", "drivers").await, Ok(()));
    assert_eq!(desk.custom_types(&ctx).await.expect("a list"), []);
    for fault in [
        desk.delete_custom_type(&ctx, "CO", "drivers").await.err(),
        desk.replace_custom_type(&ctx, &drivers(FIRST)).await.err(),
    ] {
        assert_eq!(fault, Some(AdministrationFault::NotFound));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_type_is_told_by_its_place() {
    let site = Site::start().await;
    let (desk, ctx) = (of(&site), context(Share::LookUp));
    let pointers = async |wanted: &CustomType| match desk.create_custom_type(&ctx, wanted).await {
        Err(AdministrationFault::Refused(objections)) => {
            objections.into_iter().map(|objection| objection.pointer).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(pointers(&drivers(&[("criminal_record", 0.5)])).await, ["/weights"]);
    assert_eq!(site.simulator.control().books().calls_of("custom_type"), 0, "nobody was asked");
    // What only the vendor knows to be wrong: its documents have no such data set.
    assert_eq!(pointers(&drivers(&[("credit_history", 1.0)])).await, ["/weights"]);
}

#[tokio::test]
async fn a_lost_answer_is_looked_into() {
    for fault in
        [FaultKind::DropAfter, FaultKind::Truncate, FaultKind::Halve, FaultKind::Garbage, FaultKind::StatusAfter]
    {
        let site = Site::start().await;
        let (desk, ctx, control) = (of(&site), context(Share::LookUp), site.simulator.control());
        control.arm(Fault::new("custom_type", fault).times(3));
        assert_eq!(desk.create_custom_type(&ctx, &drivers(FIRST)).await, Ok(drivers(FIRST)), "{fault:?}");
        assert_eq!(desk.replace_custom_type(&ctx, &drivers(SECOND)).await, Ok(drivers(SECOND)), "{fault:?}");
        assert_eq!(desk.delete_custom_type(&ctx, "CO", "drivers").await, Ok(()), "{fault:?}");
    }
}

#[tokio::test]
async fn where_looking_shows_nothing_that_is_said() {
    let site = Site::start().await;
    let (desk, ctx, control) = (of(&site), context(Share::LookUp), site.simulator.control());
    control.arm(Fault::new("custom_type", FaultKind::DropBefore));
    let made = desk.create_custom_type(&ctx, &drivers(FIRST)).await;
    assert!(made.as_ref().is_err_and(AdministrationFault::is_unclear), "{made:?}");

    desk.create_custom_type(&ctx, &drivers(FIRST)).await.expect("made");
    control.arm(Fault::new("custom_type", FaultKind::StatusBefore).times(2));
    let changed = desk.replace_custom_type(&ctx, &drivers(SECOND)).await;
    assert!(changed.as_ref().is_err_and(AdministrationFault::is_unclear), "{changed:?}");
    let gone = desk.delete_custom_type(&ctx, "CO", "drivers").await;
    assert!(gone.as_ref().is_err_and(AdministrationFault::is_unclear), "{gone:?}");

    control.arm(Fault::new("custom_type", FaultKind::DropAfter));
    control.arm(Fault::new("custom_types", FaultKind::StatusBefore).skip(1));
    let blind = desk.replace_custom_type(&ctx, &drivers(SECOND)).await;
    assert!(blind.as_ref().is_err_and(AdministrationFault::is_unclear), "{blind:?}");
    // Nothing is written where the account could not be looked at before.
    control.arm(Fault::new("custom_types", FaultKind::StatusBefore));
    let before = desk.delete_custom_type(&ctx, "CO", "drivers").await;
    assert!(matches!(before, Err(AdministrationFault::NotDone(_))), "{before:?}");
    assert_eq!(desk.custom_types(&ctx).await.expect("a list"), [drivers(SECOND)]);
}

#[tokio::test]
async fn an_account_that_may_not_hears_why() {
    let site = Site::with(json!({ "key_state": "expired" })).await;
    let ctx = context(Share::LookUp);
    let denied = of(&site).custom_types(&ctx).await;
    assert_eq!(denied, Err(AdministrationFault::Denied("the API key has expired or lacks a permission")));
}

#[tokio::test]
async fn settings_are_changed_in_part() {
    let site = Site::start().await;
    let (desk, ctx, control) = (of(&site), context(Share::LookUp), site.simulator.control());
    let change = SettingsChange {
        names_matching: Some(NamesMatching::Exact),
        max_duration: Some(Duration::from_hours(48)),
        ..SettingsChange::default()
    };
    assert_eq!(desk.change_settings(&ctx, &change).await, Ok(()));
    let too_long = SettingsChange { max_duration: Some(Duration::from_hours(169)), ..SettingsChange::default() };
    let refused = desk.change_settings(&ctx, &too_long).await;
    assert!(
        matches!(&refused, Err(AdministrationFault::Refused(why)) if why[0].pointer == "/max_duration"),
        "{refused:?}"
    );
    assert_eq!(control.books().calls_of("settings"), 1, "what cannot be is not sent");
    control.arm(Fault::new("settings", FaultKind::DropAfter));
    let lost = desk.change_settings(&ctx, &change).await;
    assert!(lost.as_ref().is_err_and(AdministrationFault::is_unclear), "{lost:?}");
    control.arm(Fault::new("settings", FaultKind::StatusBefore).status(400));
    let refused = desk.change_settings(&ctx, &change).await;
    assert!(matches!(refused, Err(AdministrationFault::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn credentials_go_to_the_vendor_and_never_come_back() {
    let site = Site::start().await;
    let (desk, ctx, control) = (of(&site), context(Share::LookUp), site.simulator.control());
    let secrets = Sensitive::new(BTreeMap::from([
        ("username".to_owned(), "ejemplo".to_owned()),
        ("private_key".to_owned(), "-----BEGIN\nexample-----".to_owned()),
    ]));
    assert_eq!(desk.credentials(&ctx).await, Ok(Vec::new()));
    assert_eq!(desk.put_credentials(&ctx, "DBI7", &secrets).await, Ok(()));
    assert_eq!(desk.put_credentials(&ctx, "DBI7", &secrets).await, Ok(()), "again is harmless");
    assert_eq!(desk.credentials(&ctx).await, Ok(vec!["DBI7".to_owned()]));
    let refused = desk.put_credentials(&ctx, "other", &secrets).await;
    assert!(matches!(refused, Err(AdministrationFault::Refused(_))), "{refused:?}");
    assert!(!format!("{refused:?}").contains("ejemplo"));
    for id in ["", "..", "DBI\n7"] {
        assert_eq!(desk.put_credentials(&ctx, id, &secrets).await, Err(AdministrationFault::NotFound), "{id:?}");
    }
    control.arm(Fault::new("credentials", FaultKind::DropAfter));
    assert_eq!(desk.delete_credentials(&ctx, "DBI7").await, Ok(()), "looked into");
    assert_eq!(desk.delete_credentials(&ctx, "DBI7").await, Err(AdministrationFault::NotFound));
}

#[tokio::test]
async fn types_of_another_country_are_another_types() {
    let site = Site::start().await;
    let (desk, ctx) = (of(&site), context(Share::LookUp));
    desk.create_custom_type(&ctx, &drivers(FIRST)).await.expect("made");
    let in_peru = CustomType { country: "PE".to_owned(), ..drivers(SECOND) };
    desk.create_custom_type(&ctx, &in_peru).await.expect("made");
    assert_eq!(desk.delete_custom_type(&ctx, "CO", "drivers").await, Ok(()));
    assert_eq!(desk.custom_types(&ctx).await.expect("a list"), [in_peru]);
    site.order(&in_colombia("1032456701")).await;
}
