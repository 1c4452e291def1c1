//! Topics of a worker file: properties, and which events are for the worker.

use super::{DESIGN, parsed};
use crate::core::model::secret::Secret;
use serde_json::json;

/// The design's example with other lines for trigger and completion.
fn with(trigger: &str, completion: &str) -> String {
    let kept = DESIGN.lines().filter(|line| !line.starts_with("trigger:") && !line.starts_with("completion:"));
    let kept: Vec<&str> = kept.collect();
    format!("{}\ntrigger: {trigger}\ncompletion: {completion}\n", kept.join("\n"))
}

/// What is wrong with it, as people see it.
fn refusal(trigger: &str, completion: &str) -> String {
    let error = parsed(&with(trigger, completion), &[]).unwrap_err();
    format!("{error:?}\n{}", error.to_json())
}

#[test]
fn properties_are_taken_as_they_stand_and_never_shown() {
    let secured = "{ kafka: { brokers: \"k:9093\", properties: { security.protocol: SASL_SSL, sasl.password: \"${PW}\", session.timeout.ms: 30000 } } }";
    let loaded = parsed(&with(secured, secured), &[("PW", "hunter22")]).unwrap();
    let (trigger, completion) = (
        loaded.flow.worker().unwrap().trigger.clone().unwrap(),
        loaded.flow.worker().unwrap().completion.clone().unwrap(),
    );
    for properties in [&trigger.kafka.properties, &completion.properties] {
        let given: Vec<(&str, &str)> = properties.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
        let wanted =
            [("sasl.password", "hunter22"), ("security.protocol", "SASL_SSL"), ("session.timeout.ms", "30000")];
        assert_eq!(given, wanted);
    }
    assert_eq!(format!("{:?}", trigger.kafka.properties["sasl.password"]), "***");
    assert_eq!(trigger.kafka.properties["sasl.password"], Secret::new("hunter22"));
}

#[test]
fn properties_that_would_break_a_promise_are_refused() {
    for name in [
        "enable.auto.commit",
        "enable.auto.offset.store",
        "auto.offset.reset",
        "enable.idempotence",
        "acks",
        "request.required.acks",
        "transactional.id",
        "message.timeout.ms",
        "plugin.library.paths",
        "sasl.kerberos.kinit.cmd",
        "ssl.engine.location",
    ] {
        let told = refusal("{}", &format!("{{ kafka: {{ properties: {{ {name}: x }} }} }}"));
        assert!(told.contains(&format!("`{name}` cannot be changed")), "{told}");
    }
    for (name, field) in [("group.id", "group"), ("bootstrap.servers", "brokers")] {
        let told = refusal(&format!("{{ kafka: {{ properties: {{ {name}: x }} }} }}"), "{}");
        assert!(told.contains(&format!("use `kafka.{field}`")), "{told}");
    }
}

#[test]
fn what_is_no_name_of_a_property_is_refused_and_not_repeated() {
    let told = refusal("{}", "{ kafka: { properties: { \"hunter;22\": x } } }");
    assert!(told.contains("this is no name of a property") && !told.contains("hunter"), "{told}");
}

#[test]
fn a_password_in_the_file_is_masked_beside_a_mistake() {
    for password in ["hunter22", "\"hunter22\"", "'hunter22'"] {
        let completion = format!("{{ kafka: {{ properties: {{ sasl.password: {password}, acks: all }} }} }}");
        let told = refusal("{}", &completion);
        assert!(told.contains("acks") && !told.contains("hunter22"), "{told}");
    }
}

#[test]
fn matches_are_pointers_and_typed_values() {
    let trigger = "{ match: { dataset: loans, /source/version: 2, live: true, year: \"2026\", a/b: x } }";
    let worker = parsed(&with(trigger, "{}"), &[]).unwrap().into_worker().unwrap();
    let wanted = [
        ("/dataset", json!("loans")),
        ("/source/version", json!(2)),
        ("/live", json!(true)),
        ("/year", json!("2026")),
        ("/a~1b", json!("x")),
    ];
    assert_eq!(worker.trigger.clone().unwrap().matches, wanted.map(|(at, value)| (at.to_owned(), value)));
    let told = refusal("{ match: loans }", "{}");
    assert!(told.contains("`match` must be names and values"), "{told}");
    let told = refusal("{ match: { dataset: [loans] } }", "{}");
    assert!(told.contains("`dataset` must be a text"), "{told}");
}
