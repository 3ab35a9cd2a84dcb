//! Whole orders at a simulator that refuses every field it does not know.

use provider::{Provider as _, VendorHttp};
use sandbox::theary::Config;
use serde_json::json;
use theary::{AccountSettings, Environment, Theary};

use crate::bench::{World, classes, jobs, settings};
use crate::samples;

async fn production_world() -> World {
    let mut world = World::with(json!({"production": true})).await;
    let settings = AccountSettings {
        environment: Environment::Production,
        ..settings(world.simulator.base_url(), &Config::default().token)
    };
    world.theary = Theary::new(settings, VendorHttp::new());
    world
}

/// Everything that callers may say reaches the vendor in a form it takes, in production and outside of it.
#[tokio::test]
async fn every_option_is_taken() {
    let channels = [
        json!({"email": true, "voice": false, "preferredChannel": "FAX", "blockedDestinations": ["a@b.example"]}),
        json!({"allowedDestinations": ["a@b.example"]}),
    ];
    for world in [World::with(json!({})).await, production_world().await] {
        for channels in &channels {
            let options = json!({
                "thirdPartyBan": ["TWN"], "channels": channels,
                "timing": {
                    "searchSlaMinutes": 1, "outboundWindowMinutes": 60, "businessHours": {"timezone": "America/New_York"}
                },
                "research": {"skipResearch": true},
                "outbound": {"contactHints": [{"email": "hr@former.example", "priority": "HIGH"}]},
                "questionnaireUrl": "https://forms.example/q", "questionnaireAccessCode": "1234",
            });
            for mut item in [samples::employment(1), samples::education(2)] {
                samples::edit(&mut item, |_, check| {
                    check.vendor_options = options.as_object().expect("an object").clone();
                });
                assert_eq!(world.theary.validate(&item.order, &item.check), Vec::new());
                assert_eq!(classes(&world.submit(&[item], None).await), ["accepted"]);
            }
        }
    }
}

/// The production host refuses what keeps test orders away from real employers, so it is seen that each of them has it.
#[tokio::test]
async fn qa_destinations_are_in_every_order_outside_production_and_in_none_inside() {
    let outside = World::with(json!({"production": true})).await;
    assert_eq!(classes(&outside.submit(&jobs(1), None).await), ["unknown, fail"]);
    assert_eq!(classes(&outside.submit(&jobs(3), None).await), vec!["unknown, resend"; 3]);
    assert!(outside.simulator.control().books().objects.is_empty());
    let inside = production_world().await;
    assert_eq!(classes(&inside.submit(&jobs(3), None).await), vec!["accepted"; 3]);
}
