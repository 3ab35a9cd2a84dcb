//! What a caller is told of checks that share their vendor's object.

use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn of_two_orders_with_one_check_at_the_vendor_each_names_the_other() {
    let world = World::new().await;
    let _gateway = world.start(&["serve"]).await;
    let order = world.new_order(&["truora"]);
    let first = world.post(&order, "first").await;
    world.until_status(&first, &["completed"]).await;
    let alone = world.order(&first).await;
    assert_eq!(alone["checks"][0]["vendor"]["shared_with"], json!([]));

    // The vendor's own dedupe answers with the check that it has.
    let second = world.post(&order, "second").await;
    world.until_status(&second, &["completed"]).await;
    assert_eq!(world.books("truora").objects.len(), 1);
    let (one, two) = (world.order(&first).await, world.order(&second).await);
    let (one, two) = (&one["checks"][0], &two["checks"][0]);
    assert_eq!(one["vendor"]["order_id"], two["vendor"]["order_id"]);
    assert_eq!(one["vendor"]["shared_with"], json!([two["id"]]));
    assert_eq!(two["vendor"]["shared_with"], json!([one["id"]]));
    let check = world.get(&format!("v1/checks/{}", two["id"].as_str().expect("an id"))).await;
    assert_eq!(check["vendor"]["shared_with"], json!([one["id"]]));
}
