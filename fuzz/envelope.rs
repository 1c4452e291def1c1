//! Any bytes as the envelope of a file that a transfer delivers.

use filegen::core::transfer::envelope::{ENVELOPE_MAX, Envelope, id, name_fault};
use filegen::core::transfer::naming::NameTemplate;
use filegen::core::transfer::place::place;
use filegen::core::transfer::spec::{Deliver, OnExists, Organize, TargetSpec};
use serde_json::Value;

/// An envelope that is taken says all that it needs and nothing that cannot be, bears the id of what it says where the id is filegen's own,
/// stays the same when it is written again, and leads nowhere outside of the target. What is refused says why in one line.
pub fn envelope(bytes: &[u8]) {
    let told = serde_json::from_slice::<Value>(bytes).ok();
    let told = told.as_ref().and_then(|value| value["id"].as_str()).unwrap_or("a1").to_owned();
    let envelope = match Envelope::read(bytes, &told) {
        Ok(envelope) => envelope,
        Err(fault) => {
            let text = fault.to_string();
            assert!(!text.is_empty() && text.len() < ENVELOPE_MAX, "{text:?}");
            return;
        }
    };
    assert!(bytes.len() <= ENVELOPE_MAX && envelope.id == told);
    assert_eq!(Envelope::read(&envelope.to_bytes(), &told).as_ref(), Ok(&envelope));
    assert!(Envelope::read(bytes, "another").is_err());
    assert_eq!((name_fault(&envelope.name), envelope.sha256.len()), (None, 64));
    if told.len() == 40 && told.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        assert_eq!(told, id(&envelope.source, &envelope.source_path, envelope.size, &envelope.sha256));
        assert!(envelope.source_path.ends_with(&envelope.name));
    }
    if let Some(chunks) = envelope.chunks {
        let chunk = envelope.chunk_size.expect("chunks have a size");
        assert!(u128::from(chunks) * u128::from(chunk) >= u128::from(envelope.size));
    }
    for organize_by in [Organize::Date, Organize::Type, Organize::Source, Organize::None] {
        for template in ["{{ stem }}{{ extension }}", "{{ folder }}{{ name }}", "{{ source }}/{{ id }}"] {
            let Ok(place) = place(&deliver(template, organize_by), &envelope) else { continue };
            let path = place.path();
            assert!(!path.starts_with('/') && path.split('/').all(|part| name_fault(part).is_none()), "{path:?}");
        }
    }
}

fn deliver(template: &str, organize_by: Organize) -> Deliver {
    Deliver {
        to: TargetSpec::Directory("out".into()),
        organize_by,
        name: NameTemplate::parse(template).expect("a template"),
        on_exists: OnExists::Error,
        permissions: Some(0o640),
        max_size: 1 << 30,
        filters: Vec::new(),
        companions: Vec::new(),
        work: "work".into(),
    }
}
