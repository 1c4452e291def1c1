//! Events from a broker, in memory and real: positions are the sink's, whatever the group says.

use super::FILE;
use crate::support::broker::{Log, on_each};
use crate::support::running::PATIENCE;
use filegen::adapters::memory::sql_sink::MemorySink;
use filegen::core::ingest::event::Tally;
use filegen::core::ingest::service::{IngestPorts, Service};
use filegen::core::ingest::spec::Ingest;
use filegen::core::ports::observer::Unobserved;
use filegen::core::ports::sql_sink::SqlSink;
use std::path::Path;
use std::sync::Arc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

fn spec() -> Arc<Ingest> {
    let loaded = filegen::config::parse(FILE, Path::new("/events.yaml"), &(), &filegen::Registry::default()).unwrap();
    loaded.into_ingest().unwrap()
}

/// Reads to the end of the topic.
async fn ingested(log: &Log, spec: &Arc<Ingest>, sink: &MemorySink) -> Tally {
    let ports = IngestPorts {
        consumer: log.consumer(),
        sink: Box::new(sink.clone()),
        clock: filegen::wiring::clock(),
        observer: Arc::new(Unobserved),
        jitter: Arc::new(|| 0.0),
        letters: Arc::default(),
    };
    let service = Service::new(Arc::clone(spec), "here".to_owned(), ports);
    timeout(PATIENCE, service.run(true, &CancellationToken::new())).await.expect("an end").unwrap()
}

const USER: &str = r#"{"type":"User","id":"e1","user":"u","at":"2026-01-01T10:00:00Z"}"#;
const ORDER: &str = r#"{"type":"Order","id":"e2","order":"o","user":"u","amount":1,"at":"2026-01-01T10:00:00Z"}"#;
const LATER: &str = r#"{"type":"Order","id":"e3","order":"o","user":"u","amount":2,"at":"2026-01-01T10:00:01Z"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_goes_on_where_the_sink_stands_and_not_where_the_group_does() {
    on_each(2, |log| async move {
        let spec = spec();
        let mut sink = MemorySink::new(Arc::new(spec.tables.clone()), "g", 100);
        log.write(0, &[USER, ORDER]).await;
        log.write(1, &["no event"]).await;
        let tally = ingested(&log, &spec, &sink).await;
        assert_eq!(tally, Tally { written: 2, dead: 1, ..Tally::default() });
        let next = |sink: Vec<_>| {
            sink.into_iter()
                .map(|at: filegen::core::ports::sql_sink::StoredPosition| (at.partition, at.next))
                .collect::<Vec<_>>()
        };
        assert_eq!(next(sink.positions().await.unwrap().records), [(0, 2), (1, 1)]);

        log.write(1, &[LATER]).await;
        let tally = ingested(&log, &spec, &sink).await;
        assert_eq!(tally, Tally { written: 1, ..Tally::default() });

        // The group has committed all of it; an empty sink begins with the first event.
        let empty = MemorySink::new(Arc::new(spec.tables.clone()), "g", 100);
        let tally = ingested(&log, &spec, &empty).await;
        // Which partition comes first is the broker's to say.
        assert_eq!((tally.written + tally.folded + tally.stale, tally.parked, tally.dead), (3, 0, 1));
        assert_eq!(empty.rows("orders"), sink.rows("orders"));
    })
    .await;
}
