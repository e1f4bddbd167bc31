//! Commands of applications: defined by their bots, everywhere or in one guild.

use serde_json::{Value, json};

use super::{Tavern, fault, refused};
use crate::harness::text;

fn command(name: &str) -> Value {
    json!({"name": name, "description": "does something"})
}

impl Tavern {
    fn of_application(&self, rest: &str) -> String {
        format!("/applications/{}{rest}", self.bot.id)
    }
}

#[tokio::test]
async fn a_command_is_made_changed_and_ended() {
    let tavern = Tavern::open().await;
    let path = tavern.of_application("/commands");
    let form = json!({
        "name": "roll", "description": "Rolls dice", "name_localizations": {"de": "wurf"},
        "default_member_permissions": "2048", "contexts": [0], "options": [
            {"type": 2, "name": "many", "description": "Several", "options": [
                {"type": 1, "name": "of", "description": "One kind", "options": [
                    {"type": 4, "name": "sides", "description": "Sides", "required": true,
                        "choices": [{"name": "six", "value": 6}]},
                    {"type": 10, "name": "luck", "description": "Luck", "min_value": 0.5},
                    {"type": 3, "name": "word", "description": "A word", "autocomplete": true,
                        "min_length": 1, "max_length": 20},
                ]},
            ]},
        ],
    });
    let made = tavern.bot("POST", &path, form.clone()).await.expect(201);
    assert_eq!(made["name_localizations"], json!({"de": "wurf"}));
    assert_eq!(
        (&made["dm_permission"], &made["default_member_permissions"]),
        (&json!(false), &json!("2048"))
    );
    let option = &made["options"][0]["options"][0]["options"];
    assert_eq!(option[0]["choices"][0]["value"], json!(6));
    assert_eq!(option[1]["min_value"], json!(0.5));
    assert_eq!(option[2]["autocomplete"], json!(true));

    let again = tavern.bot("POST", &path, form).await.expect(200);
    assert_eq!(again["id"], made["id"]);
    assert_ne!(again["version"], made["version"]);
    let one = format!("{path}/{}", text(&made["id"]));
    let form = json!({"name": "throw", "options": null, "default_member_permissions": null});
    let changed = tavern.bot("PATCH", &one, form).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["options"], &changed["contexts"]),
        (&json!("throw"), &json!([]), &json!([0]))
    );
    assert_eq!(changed["description"], "Rolls dice");
    assert_eq!(tavern.bot("GET", &one, None).await.expect(200), changed);
    assert_eq!(tavern.bot("DELETE", &one, None).await.status, 204);
    refused(&tavern.bot("GET", &one, None).await, 404, 10_063);
    refused(&tavern.bot("DELETE", &one, None).await, 404, 10_063);
}

#[tokio::test]
async fn all_commands_of_a_scope_are_replaced_at_once() {
    let tavern = Tavern::open().await;
    let path = tavern.of_application(&tavern.of_guild("/commands"));
    let first = tavern.bot("POST", &path, command("a")).await.expect(201);
    let all = json!([command("b"), command("a")]);
    let stored = tavern.bot("PUT", &path, all).await.expect(200);
    assert_eq!(stored[0]["id"], first["id"]);
    assert_eq!(tavern.bot("GET", &path, None).await.expect(200), stored);
    let twice = json!([command("b"), command("b")]);
    let wrong = tavern.bot("PUT", &path, twice).await;
    assert_eq!(fault(&wrong, "1.name"), "DUPLICATE");
    let many: Vec<_> = (0..101).map(|n| command(&format!("c{n}"))).collect();
    fault(&tavern.bot("PUT", &path, json!(many)).await, "");
    assert_eq!(tavern.bot("GET", &path, None).await.expect(200), stored);
    let everywhere = tavern.of_application("/commands");
    let listed = tavern.bot("GET", &everywhere, None).await.expect(200);
    assert_eq!(listed, json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_a_command_is_said_where_it_stands() {
    let tavern = Tavern::open().await;
    let path = tavern.of_application("/commands");
    let form = json!({"name": "Two Words", "type": 1, "options": [
        {"type": 3, "name": "a", "description": "", "choices": [{"name": "x", "value": 5}]},
        {"type": 99, "name": "b", "description": "x"},
        {"type": 1, "name": "c", "description": "x", "required": true},
    ]});
    let wrong = tavern.bot("POST", &path, form).await;
    assert_eq!(fault(&wrong, "description"), "BASE_TYPE_REQUIRED");
    assert_eq!(fault(&wrong, "options.1.type"), "NUMBER_TYPE_MAX");
    let value = "options.0.choices.0.value";
    assert_eq!(fault(&wrong, value), "BASE_TYPE_CONVERT");
    let mut form = command("Two Words");
    form["options"] = json!([{"type": 4, "name": "n", "description": "", "min_value": 0.5}]);
    let wrong = tavern.bot("POST", &path, form).await;
    assert_eq!(fault(&wrong, "name"), "INVALID_CHARACTERS");
    assert_eq!(fault(&wrong, "options.0.min_value"), "NUMBER_TYPE_COERCE");
    assert_eq!(
        fault(&wrong, "options.0.description"),
        "BASE_TYPE_BAD_LENGTH"
    );
    let mut deep = json!({"type": 1, "name": "x", "description": "x"});
    for _ in 0..5 {
        deep = json!({"type": 2, "name": "x", "description": "x", "options": [deep]});
    }
    let mut form = command("deep");
    form["options"] = json!([deep]);
    assert_eq!(tavern.bot("POST", &path, form).await.status, 400);
    let context_menu = json!({"name": "Report", "type": 3});
    let wrong = tavern.bot("POST", &path, context_menu).await;
    assert_eq!(fault(&wrong, "type"), "BASE_TYPE_CHOICES");
    let first = tavern.bot("POST", &path, command("a")).await.expect(201);
    tavern.bot("POST", &path, command("b")).await.expect(201);
    let one = format!("{path}/{}", text(&first["id"]));
    let wrong = tavern.bot("PATCH", &one, json!({"name": "b"})).await;
    assert_eq!(fault(&wrong, "name"), "TAKEN");
}
