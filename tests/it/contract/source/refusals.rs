//! What does not fit, and what is said about it.

use super::{MODES, SCRAMBLED, query, read, scrambled, view};
use crate::support::source::{SqlType, Value, worlds};
use filegen::core::model::finding::CheckVerdict;
use filegen::core::ports::source::{Position, Query, SourceError};

#[tokio::test]
async fn a_predicate_cannot_leave_its_place() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        world.create(&view, &SCRAMBLED, &scrambled(3)).await;
        for bad in ["", "1 = 1) OR (1 = 1", "id > 0; DROP TABLE v", "id > 0 --", "id > 0 /*", "'", "nope = 1", "id >"] {
            let query = Query { predicates: vec![bad.into()], ..query(&view, &["id"], &["id"]) };
            let opened = read(&*source, &query, &Position::default()).await.map(drop);
            assert!(matches!(opened, Err(SourceError::Refused { .. })), "{} {bad}: {opened:?}", world.name());
            let counted = source.extent(&query).await.map(drop);
            assert!(matches!(counted, Err(SourceError::Refused { .. })), "{} {bad}: {counted:?}", world.name());
        }
    }
}

#[tokio::test]
async fn a_column_of_another_kind_than_before_is_noticed() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        world.create(&view, &SCRAMBLED, &scrambled(5)).await;
        let same = vec![SqlType::Text.column("name"), SqlType::Int.column("id")];
        for fetch in MODES {
            let mut query = Query { fetch, kinds: Some(same.clone()), ..query(&view, &["id"], &["name", "id"]) };
            assert_eq!(read(&*source, &query, &Position::default()).await.unwrap().len(), 2, "{}", world.name());
            query.kinds = Some(vec![SqlType::Text.column("name"), SqlType::Decimal(9, 2).column("id")]);
            let outcome = read(&*source, &query, &Position::default()).await.map(drop);
            let Err(SourceError::Changed { reason }) = outcome else {
                panic!("{} {fetch:?}: {outcome:?}", world.name())
            };
            assert!(
                reason.contains("`id`") && reason.contains("decimal(9,2)") && reason.contains("integer"),
                "{reason}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_with_what_is() {
    for world in worlds().await {
        let (source, loans) = (world.source(), view("v_LoanData"));
        world
            .create(
                &loans,
                &[("LoanId", SqlType::Int), ("Amount", SqlType::Int)],
                &[vec![Value::Int(1), Value::Int(2)]],
            )
            .await;
        let refused = async |query: Query| {
            let opened = read(&*source, &query, &Position::default()).await.map(drop);
            match opened {
                Err(SourceError::Refused { reason }) => reason,
                other => panic!("{}: {other:?}", world.name()),
            }
        };
        let reason = refused(query(&loans, &["LoanId"], &["Amont"])).await;
        assert!(["`Amont`", "did you mean `Amount`", "`LoanId`"].iter().all(|part| reason.contains(part)), "{reason}");
        let reason = refused(query(&loans, &["LoanID_"], &["Amount"])).await;
        assert!(reason.contains("did you mean `LoanId`"), "{}: {reason}", world.name());
        let reason = refused(query(&view("v_LoanDat"), &["LoanId"], &["Amount"])).await;
        assert!(reason.contains("v_LoanDat`") && reason.contains("v_LoanData`"), "{}: {reason}", world.name());
        assert!(
            matches!(source.columns(&view("nope").into()).await, Err(SourceError::Refused { .. })),
            "{}",
            world.name()
        );
    }
}

#[tokio::test]
async fn examine_finds_what_a_run_would_trip_over() {
    for world in worlds().await {
        let view = view("v");
        world.create(&view, &SCRAMBLED, &scrambled(6)).await;
        let verdicts = async |key: &[&str]| {
            let findings = world.source().examine(&query(&view, key, &["id"])).await.unwrap();
            findings.iter().any(|finding| finding.verdict == CheckVerdict::Fail)
        };
        assert!(!verdicts(&["id"]).await, "{}", world.name());
        assert!(verdicts(&["part"]).await, "{}: the key is not unique", world.name());
        world.insert(&view, &[vec![Value::Null, "x".into(), Value::Int(9)]]).await;
        assert!(verdicts(&["id"]).await, "{}: the key is NULL", world.name());
    }
}
