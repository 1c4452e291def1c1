//! What every store of data sources promises: a change and its event are one write, a name is one data source's, and nobody writes over
//! a version that was not seen.

use crate::support::state::{at, key, on_each};
use filegen::core::model::data_source::{Action, DataSource, DataSourceId, Misfire, Overlap};
use filegen::core::ports::data_sources::{Wanted, Written};
use filegen::core::ports::outbox::{OutboxEntry, OutboxId};
use std::sync::Arc;
use tokio::sync::Barrier;

const OWNER: &str = "schedule:changes";

fn source(id: &str, name: &str, version: u64) -> DataSource {
    DataSource {
        id: DataSourceId::new(id).unwrap(),
        name: name.to_owned(),
        description: "what (it) is for".to_owned(),
        path: "data/in".to_owned(),
        pattern: "*.csv".to_owned(),
        recursive: true,
        cron_expression: "0 */2 * * * ?".to_owned(),
        zone: "UTC".to_owned(),
        calendar: Some("target".to_owned()),
        is_active: true,
        overlap: Overlap::Queue,
        misfire: Misfire::FireAll,
        action: Action::Run("LoanWorker".to_owned()),
        dst: None,
        closed_day: None,
        deadline: None,
        pause_after_failures: Some(7),
        version,
        created_at: at(1),
        updated_at: at(1 + i64::try_from(version).unwrap()),
    }
}

fn event(source: &DataSource) -> OutboxEntry {
    let (id, version) = (&source.id, source.version);
    let payload = format!("{{\"eventId\":\"{id}:{version}\"}}").into_bytes();
    OutboxEntry { id: OutboxId::new(format!("{OWNER}/{id}:{version}")), key: id.to_string(), payload }
}

fn names(sources: &[DataSource]) -> Vec<&str> {
    sources.iter().map(|source| source.name.as_str()).collect()
}

#[tokio::test]
async fn a_change_and_its_event_are_one_write() {
    on_each(|state| async move {
        let (first, second) = (source("a", "Loans", 1), source("a", "Loans of today", 2));
        let store = state.store();
        assert_eq!(store.create(&first, &event(&first)).await, Ok(Written::Done));
        assert_eq!(state.door(1).data_source(&first.id).await, Ok(Some(first.clone())));
        assert_eq!(state.door(1).pending(&key(OWNER)).await.map(|found| found.records), Ok(vec![event(&first)]));
        // The answer was lost: the same write again changes nothing.
        assert_eq!(state.door(1).create(&first, &event(&first)).await, Ok(Written::Done));
        assert_eq!(store.replace(&second, &event(&second)).await, Ok(Written::Done));
        assert_eq!(store.replace(&second, &event(&second)).await, Ok(Written::Done));
        assert_eq!(state.door(2).data_source(&first.id).await, Ok(Some(second.clone())));
        assert_eq!(state.door(2).named("Loans of today").await, Ok(Some(second.clone())));
        assert_eq!(state.door(2).named("Loans").await, Ok(None));
        let gone = OutboxEntry { id: OutboxId::new(format!("{OWNER}/a:3")), ..event(&second) };
        assert_eq!(store.delete(&first.id, 2, &gone).await, Ok(Written::Done));
        assert_eq!(state.door(3).data_source(&first.id).await, Ok(None));
        let waiting = [event(&first), event(&second), gone.clone()];
        assert_eq!(
            state.door(3).pending(&key(OWNER)).await.map(|found| found.records),
            Ok(waiting.to_vec()),
            "in the order of the changes"
        );
        for entry in &waiting {
            state.door(1).mark_sent(&entry.id, at(9)).await.unwrap();
            state.door(2).mark_sent(&entry.id, at(10)).await.unwrap();
        }
        assert_eq!(store.pending(&key(OWNER)).await.map(|found| found.records), Ok(vec![]));
        // Nothing is left of it: neither the id nor the name is taken.
        assert_eq!(store.create(&first, &event(&source("a", "", 9))).await, Ok(Written::Done));
    })
    .await;
}

#[tokio::test]
async fn nobody_writes_over_a_version_that_was_not_seen() {
    on_each(|state| async move {
        let store = state.store();
        let first = source("a", "Loans", 1);
        store.create(&first, &event(&first)).await.unwrap();
        let other = DataSource { description: "another".to_owned(), ..first.clone() };
        assert_eq!(store.create(&other, &event(&other)).await, Ok(Written::Changed(Box::new(first.clone()))));
        let late = source("a", "Loans", 3);
        assert_eq!(store.replace(&late, &event(&late)).await, Ok(Written::Changed(Box::new(first.clone()))));
        assert_eq!(store.delete(&first.id, 2, &event(&late)).await, Ok(Written::Changed(Box::new(first.clone()))));
        let nobody = source("nobody", "Nobody", 2);
        assert_eq!(store.replace(&nobody, &event(&nobody)).await, Ok(Written::Gone));
        assert_eq!(store.delete(&nobody.id, 2, &event(&nobody)).await, Ok(Written::Gone));
        assert_eq!(
            store.pending(&key(OWNER)).await.map(|found| found.records),
            Ok(vec![event(&first)]),
            "what was refused told nothing"
        );
    })
    .await;
}

#[tokio::test]
async fn a_name_is_one_data_sources_until_it_is_given_up() {
    on_each(|state| async move {
        let store = state.store();
        let (a, b) = (source("a", "Loans", 1), source("b", "Rates", 1));
        store.create(&a, &event(&a)).await.unwrap();
        store.create(&b, &event(&b)).await.unwrap();
        let c = source("c", "Loans", 1);
        assert_eq!(state.door(1).create(&c, &event(&c)).await, Ok(Written::NameTaken));
        let renamed = source("b", "Loans", 2);
        assert_eq!(state.door(1).replace(&renamed, &event(&renamed)).await, Ok(Written::NameTaken));
        assert_eq!(store.data_source(&b.id).await, Ok(Some(b.clone())));
        assert_eq!(store.pending(&key(OWNER)).await.unwrap().records.len(), 2);
        store.delete(&a.id, 1, &OutboxEntry { id: OutboxId::new(format!("{OWNER}/a:2")), ..event(&a) }).await.unwrap();
        // Before its event is sent.
        assert_eq!(store.create(&c, &event(&c)).await, Ok(Written::Done));
    })
    .await;
}

#[tokio::test]
async fn of_many_that_write_at_once_one_wins() {
    on_each(|state| async move {
        let first = source("a", "Loans", 1);
        state.store().create(&first, &event(&first)).await.unwrap();
        let start = Arc::new(Barrier::new(8));
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..8_usize {
            let (door, start) = (state.door(number), Arc::clone(&start));
            let next = DataSource { description: number.to_string(), ..source("a", "Loans", 2) };
            let name = source(&format!("n{number}"), "One name", 1);
            tasks.spawn(async move {
                start.wait().await;
                let replaced = door.replace(&next, &event(&next)).await.unwrap() == Written::Done;
                let created = door.create(&name, &event(&name)).await.unwrap() == Written::Done;
                (replaced, created)
            });
        }
        let won = tasks.join_all().await;
        assert_eq!(won.iter().filter(|(replaced, _)| *replaced).count(), 1);
        assert_eq!(won.iter().filter(|(_, created)| *created).count(), 1);
        assert_eq!(state.store().pending(&key(OWNER)).await.unwrap().records.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn data_sources_are_listed_by_name_page_by_page() {
    on_each(|state| async move {
        let store = state.store();
        for (id, name, is_active) in [("1", "b", true), ("2", "a.*", true), ("3", "C", false), ("4", "Ärger", true)] {
            let source = DataSource { is_active, description: String::new(), ..source(id, name, 1) };
            store.create(&source, &event(&source)).await.unwrap();
        }
        let list = async |wanted: Wanted| {
            let listed = state.door(1).data_sources(&wanted).await.unwrap();
            let names: Vec<String> = names(&listed.sources).into_iter().map(str::to_owned).collect();
            (listed.total, names.join(" "))
        };
        let all = Wanted { most: 10, ..Wanted::default() };
        assert_eq!(list(all.clone()).await, (4, "C a.* b Ärger".to_owned()));
        assert_eq!(list(Wanted { skip: 1, most: 2, ..all.clone() }).await, (4, "a.* b".to_owned()));
        assert_eq!(list(Wanted { most: 0, ..all.clone() }).await, (4, String::new()));
        assert_eq!(list(Wanted { active: Some(false), ..all.clone() }).await, (1, "C".to_owned()));
        assert_eq!(list(Wanted { text: "A.*".to_owned(), ..all.clone() }).await, (1, "a.*".to_owned()), "no pattern");
        assert_eq!(list(Wanted { text: "ärg".to_owned(), ..all.clone() }).await, (1, "Ärger".to_owned()));
        assert_eq!(list(Wanted { text: "DATA/in".to_owned(), ..all.clone() }).await.0, 4);
        let ids = |ids: &[&str]| ids.iter().map(|id| DataSourceId::new(*id).unwrap()).collect::<Vec<_>>();
        let of = |only: &[&str], but: &[&str]| Wanted { only: Some(ids(only)), but: ids(but), ..all.clone() };
        assert_eq!(list(of(&["4", "1", "9"], &[])).await, (2, "b Ärger".to_owned()));
        assert_eq!(list(of(&["4", "1"], &["1"])).await, (1, "Ärger".to_owned()));
        assert_eq!(list(of(&[], &[])).await, (0, String::new()));
        let but = Wanted { but: ids(&["1", "3"]), active: Some(true), ..all.clone() };
        assert_eq!(list(Wanted { most: 1, ..but }).await, (2, "a.*".to_owned()));
        // By id, which no change moves, page by page and up to an end.
        let behind = async |after: &str, until: Option<&str>, most| {
            let page = state.door(1).sources_behind(after, until, most).await.unwrap();
            (page.found.records.into_iter().map(|it| it.id.to_string()).collect::<String>(), page.next)
        };
        assert_eq!(behind("", None, 3).await, ("123".to_owned(), Some("3".to_owned())));
        assert_eq!(behind("3", None, 3).await, ("4".to_owned(), None));
        assert_eq!(behind("1", Some("3"), 9).await, ("23".to_owned(), None));
        assert_eq!(behind("1", Some("3"), 2).await, ("23".to_owned(), Some("3".to_owned())));
        assert_eq!(behind("3", Some("3"), 2).await, (String::new(), None));
    })
    .await;
}
