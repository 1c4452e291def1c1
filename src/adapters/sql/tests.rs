//! Keyset SQL, dialect by dialect.

use super::*;
use crate::core::model::key::Key;
use crate::core::model::param::ParamKind;
use crate::core::model::query::{Fetch, Isolation};
use crate::core::model::sql::{Sql, Template, check_expression};
use crate::core::ports::source::{Query, SourceError};
use proptest::prelude::*;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::num::NonZeroU32;

fn query(view: &str, key: &[&str], columns: &[&str]) -> Query {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Query {
        view: ViewName::parse(view).unwrap().into(),
        key: names(key),
        columns: names(columns),
        predicates: Vec::new(),
        page_size: NonZeroU32::new(10).unwrap(),
        page_bytes: 1 << 20,
        value_bytes: 64 << 20,
        fetch: Fetch::Stream,
        isolation: Isolation::Default,
        kinds: None,
    }
}

fn key(values: &[i64]) -> Key {
    Key(values.iter().map(|value| KeyValue::Int(*value)).collect())
}

fn page_sql(dialect: &Dialect, query: &Query, after: Option<&Key>, until: Option<&Key>, range: Range) -> String {
    page(dialect, &Plain, &PageRequest { query, after, until, range }).unwrap().sql
}

#[test]
fn each_dialect_writes_its_own_names_parameters_and_limits() {
    let query = query("dbo.[v.Loan \"Data]", &["Loan]Id", "Seq"], &["Amount", "Seq"]);
    let (after, until) = (key(&[1, -2]), key(&[9, 9]));
    let sql = |dialect, range| page_sql(&dialect, &query, Some(&after), Some(&until), range);
    assert_eq!(
        sql(Dialect::SQLITE, Range::Rows(10)),
        "SELECT t.\"Amount\", t.\"Seq\", t.\"Loan]Id\" FROM \"dbo\".\"v.Loan \"\"Data\" t \
         WHERE (t.\"Loan]Id\", t.\"Seq\") > (?1, ?2) AND (t.\"Loan]Id\", t.\"Seq\") <= (?3, ?4) \
         ORDER BY t.\"Loan]Id\", t.\"Seq\" LIMIT 10"
    );
    assert!(sql(Dialect::POSTGRES, Range::All).contains("(t.\"Loan]Id\", t.\"Seq\") > ('1', '-2')"));
    assert_eq!(
        sql(Dialect::SQL_SERVER, Range::Rows(10)),
        "SELECT TOP (10) t.[Amount], t.[Seq], t.[Loan]]Id] FROM [dbo].[v.Loan \"Data] t \
         WHERE t.[Loan]]Id] >= @P1 AND (t.[Loan]]Id] > @P1 OR (t.[Loan]]Id] = @P1 AND (t.[Seq] > @P2))) \
         AND t.[Loan]]Id] <= @P3 AND (t.[Loan]]Id] < @P3 OR (t.[Loan]]Id] = @P3 AND (t.[Seq] <= @P4))) \
         ORDER BY t.[Loan]]Id], t.[Seq]"
    );
    assert!(
        sql(Dialect::SQL_SERVER, Range::Offset { skip: 20, rows: 10 })
            .ends_with("OFFSET 20 ROWS FETCH NEXT 10 ROWS ONLY")
    );
}

#[test]
fn a_key_column_that_is_wanted_is_selected_once_unless_it_is_rendered() {
    struct Text;
    impl Render for Text {
        fn column(&self, _: &str, reference: &str) -> String {
            format!("{reference}::text")
        }
        fn key(&self, _: &str, reference: &str) -> Option<String> {
            Some(format!("{reference}::text"))
        }
        fn bound(&self, name: &str, _: &KeyValue, placeholder: &str) -> String {
            format!("{placeholder}::text::{name}_type")
        }
    }
    let mut query = query("v", &["k"], &["k"]);
    query.predicates = vec!["a = 1".into()];
    let after = key(&[1]);
    let request = PageRequest { query: &query, after: Some(&after), until: None, range: Range::All };
    let plain = page(&Dialect::POSTGRES, &Plain, &request).unwrap();
    assert_eq!(plain.layout, Layout { wanted: 1, key: vec![0], first_mask: 1, masks: 1, rank: None });
    let rendered = page(&Dialect::POSTGRES, &Text, &request).unwrap();
    assert_eq!(rendered.layout, Layout { wanted: 1, key: vec![1], first_mask: 2, masks: 1, rank: None });
    assert_eq!(
        rendered.sql,
        "SELECT t.\"k\"::text, t.\"k\"::text, CASE WHEN (a = 1) THEN 1 ELSE 0 END FROM \"v\" t \
         WHERE t.\"k\" > '1'::text::k_type ORDER BY t.\"k\""
    );
}

#[test]
fn rows_come_with_their_rank_where_only_the_database_can_tell_keys_apart() {
    struct Ranked;
    impl Render for Ranked {
        fn ranks(&self, key: &[String]) -> bool {
            key == ["a", "b"]
        }
    }
    let mut query = query("v", &["a", "b"], &["a"]);
    query.predicates = vec!["x > 1".into()];
    let ranked = |query: &Query| {
        let request = PageRequest { query, after: None, until: None, range: Range::Rows(2) };
        page(&Dialect::SQL_SERVER, &Ranked, &request).unwrap()
    };
    let statement = ranked(&query);
    assert_eq!(statement.layout, Layout { wanted: 1, key: vec![0, 1], first_mask: 2, masks: 1, rank: Some(3) });
    assert_eq!(
        statement.sql,
        "SELECT TOP (2) t.[a], t.[b], CASE WHEN (x > 1) THEN 1 ELSE 0 END, RANK() OVER (ORDER BY t.[a], t.[b]) \
         FROM [v] t ORDER BY t.[a], t.[b]"
    );
    query.fetch = Fetch::Offset;
    assert_eq!(ranked(&query).layout.rank, None);
    query.key.pop();
    query.fetch = Fetch::Stream;
    assert_eq!(ranked(&query).layout.rank, None);
}

#[test]
fn an_extent_is_one_statement() {
    let mut query = query("v", &["a", "b"], &["a"]);
    query.predicates = vec!["x > 1".into()];
    let statement = extent(&Dialect::SQL_SERVER, &Plain, &query, None).unwrap();
    assert_eq!(
        statement.sql,
        "SELECT * FROM (SELECT COUNT_BIG(*) AS c0, COUNT_BIG(CASE WHEN (x > 1) THEN 1 END) AS c1, \
         COUNT_BIG(t.[b]) AS c2 FROM [v] t) c \
         LEFT JOIN (SELECT TOP (1) t.[a] AS f0, t.[b] AS f1 FROM [v] t ORDER BY t.[a], t.[b]) f ON 1 = 1 \
         LEFT JOIN (SELECT TOP (1) t.[a] AS l0, t.[b] AS l1 FROM [v] t ORDER BY t.[a] DESC, t.[b] DESC) l ON 1 = 1"
    );
    let layout = statement.layout;
    assert_eq!((layout.matching, layout.filled), (1..2, 2..3));
    assert_eq!((layout.first, layout.last), (3..5, 5..7));
    let within = extent(&Dialect::SQL_SERVER, &Plain, &query, Some(&key(&[1, 2]))).unwrap();
    assert!(within.sql.contains(
        "COUNT_BIG(CASE WHEN t.[a] <= @P1 AND (t.[a] < @P1 OR (t.[a] = @P1 AND (t.[b] <= @P2))) THEN 1 END) AS c3 FROM"
    ));
    assert_eq!((within.layout.within, within.layout.first, within.params.len()), (Some(3), 4..6, 2));
    assert!(extent(&Dialect::SQLITE, &Plain, &query, Some(&key(&[1]))).is_err());
}

#[test]
fn a_literal_cannot_end_its_string() {
    let text = |value| literal(&value);
    assert_eq!(text(KeyValue::Text("O'Neill'; --".to_owned())), "'O''Neill''; --'");
    assert_eq!(text(KeyValue::Typed("1'".to_owned())), "'1'''");
    assert_eq!(text(KeyValue::Int(i64::MIN)), "'-9223372036854775808'");
    assert_eq!(text(KeyValue::Bytes("00ff".to_owned())), "'\\x00ff'");
}

#[test]
fn a_key_of_another_length_is_refused() {
    let query = query("v", &["a", "b"], &["a"]);
    let short = key(&[1]);
    let request = PageRequest { query: &query, after: Some(&short), until: None, range: Range::All };
    assert!(matches!(page(&Dialect::SQLITE, &Plain, &request), Err(SourceError::Refused { .. })));
}

#[test]
fn predicates_that_are_one_expression_pass() {
    for (dialect, good) in [
        (Dialect::SQLITE, "a = ';' AND (b = ')' OR \"x;\" = [y)] OR `z(` = 1)"),
        (Dialect::SQLITE, "a > 1 -- more than one\n AND b /* ( */ < 2"),
        (Dialect::SQLITE, "a = 'it''s' AND a NOT LIKE '--%'"),
        (Dialect::POSTGRES, "a = $$;)$$ OR b = $tag$ $$ ' $tag$ OR c::text = E'\\';' OR d[1] = 2 OR e ? 'k'"),
        (Dialect::POSTGRES, "a /* /* nested ( */ ) */ = 1 AND cost$ > 5"),
        (Dialect::POSTGRES, "a = E'\\' ; all of it is text --'"),
        (Dialect::SQL_SERVER, "a = [b]];c] AND d = N'@' AND e@f = 1"),
    ] {
        assert_eq!(check_expression(dialect.lexicon, good), Ok(()), "{good}");
    }
}

#[test]
fn predicates_that_could_change_the_statement_are_refused() {
    for (dialect, bad) in [
        (Dialect::SQLITE, ""),
        (Dialect::SQLITE, "  /* only */ -- that\n"),
        (Dialect::SQLITE, "1) OR (1"),
        (Dialect::SQLITE, "(1"),
        (Dialect::SQLITE, "a = 1; DELETE FROM t"),
        (Dialect::SQLITE, "a = 1 --"),
        (Dialect::SQLITE, "a = 1 /* "),
        (Dialect::SQLITE, "a = '"),
        (Dialect::SQLITE, "\"a = 1"),
        (Dialect::SQLITE, "[a = 1"),
        (Dialect::SQLITE, "a IS?1"),
        (Dialect::SQLITE, "a = :b"),
        (Dialect::SQLITE, "a = @b"),
        (Dialect::SQLITE, "a = 'x\0'; b \0"),
        (Dialect::POSTGRES, "a = $1"),
        (Dialect::POSTGRES, "a = $x$ ... $y$"),
        (Dialect::POSTGRES, "a = '\\' ; DROP TABLE t; --'"),
        (Dialect::POSTGRES, "a = E'\\\\' ; DROP TABLE t; --'"),
        (Dialect::POSTGRES, "a /* /* */ = 1"),
        (Dialect::SQL_SERVER, "a = @P1"),
    ] {
        assert!(check_expression(dialect.lexicon, bad).is_err(), "{bad}");
    }
}

/// A key column's value as SQLite stores it.
fn stored(value: &KeyValue) -> Value {
    match value {
        KeyValue::Int(value) => Value::Integer(*value),
        KeyValue::Text(text) => Value::Text(text.clone()),
        other => panic!("not made here: {other}"),
    }
}

fn value(int: bool) -> BoxedStrategy<KeyValue> {
    if int {
        prop_oneof![3 => -3_i64..4, 1 => any::<i64>()].prop_map(KeyValue::Int).boxed()
    } else {
        prop_oneof!["[ab' ]{0,2}", "\\PC{0,3}"].prop_map(KeyValue::Text).boxed()
    }
}

fn bound(bound: &Bound) -> Value {
    match bound {
        Bound::Key { value, .. } => stored(value),
        Bound::Param { value, .. } => Value::Text(value.to_string()),
    }
}

/// The types of one to three key columns, and unique keys of them.
fn keys() -> impl Strategy<Value = (Vec<bool>, Vec<Key>)> {
    proptest::collection::vec(any::<bool>(), 1..4).prop_flat_map(|ints| {
        let key: Vec<BoxedStrategy<KeyValue>> = ints.iter().map(|int| value(*int)).collect();
        let keys = proptest::collection::hash_set(key, 0..40);
        (Just(ints), keys.prop_map(|keys| keys.into_iter().map(Key).collect()))
    })
}

const NAMES: [&str; 3] = ["a \"b\"", "select", "t"];

fn table(ints: &[bool], keys: &[Key]) -> Connection {
    let db = Connection::open_in_memory().unwrap();
    let columns: Vec<String> = (NAMES.iter().zip(ints))
        .map(|(name, int)| format!("{} {}", Dialect::SQLITE.name(name), if *int { "INTEGER" } else { "TEXT" }))
        .collect();
    db.execute_batch(&format!("CREATE TABLE \"some view\" ({})", columns.join(", "))).unwrap();
    for key in keys {
        let marks = vec!["?"; ints.len()].join(", ");
        let values = params_from_iter(key.0.iter().map(stored));
        db.execute(&format!("INSERT INTO \"some view\" VALUES ({marks})"), values).unwrap();
    }
    db
}

fn run(db: &Connection, statement: &PageStatement) -> Vec<Key> {
    let mut prepared = db.prepare(&statement.sql).unwrap();
    let mut rows = prepared.query(params_from_iter(statement.params.iter().map(bound))).unwrap();
    let mut keys = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let values = statement.layout.key.iter().map(|at| match row.get(*at).unwrap() {
            Value::Integer(value) => KeyValue::Int(value),
            Value::Text(text) => KeyValue::Text(text),
            other => panic!("{other:?}"),
        });
        keys.push(Key(values.collect()));
    }
    keys
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_cut_by_key_are_the_ordered_table((ints, keys) in keys(), size in 1_u64..8) {
        let db = table(&ints, &keys);
        let query = query("[some view]", &NAMES[..ints.len()], &["t"][..usize::from(ints.len() == 3)]);
        let order = NAMES[..ints.len()].iter().map(|name| Dialect::SQLITE.name(name)).collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT {order} FROM \"some view\" ORDER BY {order}");
        let layout = Layout { wanted: 0, key: (0..ints.len()).collect(), first_mask: 0, masks: 0, rank: None };
        let ordered = run(&db, &PageStatement { sql, params: Vec::new(), layout });
        prop_assert_eq!(ordered.len(), keys.len());
        let written_out = Dialect { row_values: false, ..Dialect::SQLITE };
        for dialect in [Dialect::SQLITE, written_out] {
            let (mut paged, mut after) = (Vec::new(), None);
            loop {
                let request = PageRequest { query: &query, after: after.as_ref(), until: None, range: Range::Rows(size) };
                let rows = run(&db, &page(&dialect, &Plain, &request).unwrap());
                let Some(last) = rows.last().cloned() else { break };
                after = Some(last);
                paged.extend(rows);
            }
            prop_assert_eq!(&paged, &ordered);
        }
    }

    #[test]
    fn both_forms_of_a_range_find_the_same_rows((ints, keys) in keys(), from: prop::sample::Index, to: prop::sample::Index) {
        prop_assume!(!keys.is_empty());
        let db = table(&ints, &keys);
        let query = query("[some view]", &NAMES[..ints.len()], &[]);
        let (after, until) = (from.get(&keys), to.get(&keys));
        let written_out = Dialect { row_values: false, ..Dialect::SQLITE };
        let request = PageRequest { query: &query, after: Some(after), until: Some(until), range: Range::All };
        let [whole, apart] = [Dialect::SQLITE, written_out].map(|dialect| run(&db, &page(&dialect, &Plain, &request).unwrap()));
        prop_assert_eq!(&whole, &apart);
        prop_assert!(!whole.contains(after));
        prop_assert_eq!(whole.last().is_some(), whole.contains(until));
    }

    #[test]
    fn a_quoted_name_is_one_name(name in "\\PC{1,8}") {
        prop_assume!(!name.contains('\0'));
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(&format!("CREATE TABLE x ({} INTEGER)", Dialect::SQLITE.name(&name))).unwrap();
        let found: String = db.query_row("SELECT name FROM pragma_table_info('x')", [], |row| row.get(0)).unwrap();
        prop_assert_eq!(found, name);
    }

    #[test]
    fn a_predicate_that_passes_stays_inside_its_parentheses(text in "[a1=()';\"\\-/* \n]{0,12}") {
        if check_expression(Dialect::SQLITE.lexicon, &text).is_ok() {
            let db = Connection::open_in_memory().unwrap();
            db.execute_batch("CREATE TABLE v (a INTEGER)").unwrap();
            // Whatever it means, the statement has its two columns and no second statement.
            if let Ok(prepared) = db.prepare(&format!("SELECT CASE WHEN ({text}) THEN 1 ELSE 0 END, 7 AS last FROM v t")) {
                prop_assert_eq!(prepared.column_count(), 2);
                prop_assert_eq!(prepared.column_name(1).unwrap(), "last");
            }
        }
    }
}

/// SQL with the parameters `date` and `low` in its places.
fn with_params(text: &str) -> Sql {
    let date = ParamKind::Date.read("2026-11-21").unwrap();
    let low = ParamKind::Decimal.read("1.50").unwrap();
    let params = [("date".to_owned(), date), ("low".to_owned(), low)].into();
    Template::parse(text, |name| matches!(name, "date" | "low")).unwrap().bind(&params).unwrap()
}

#[test]
fn parameters_are_bound_and_have_one_number_each() {
    let mut query = query("v", &["k"], &["k"]);
    query.predicates = vec![with_params("d <= {date} AND a > {low}"), with_params("d = {date}")];
    let after = key(&[7]);
    let written = |dialect: Dialect| {
        let request = PageRequest { query: &query, after: Some(&after), until: None, range: Range::All };
        page(&dialect, &Plain, &request).unwrap()
    };
    let sqlite = written(Dialect::SQLITE);
    let masks =
        "CASE WHEN (d <= ?1 AND a > CAST(?2 AS NUMERIC)) THEN 1 ELSE 0 END, CASE WHEN (d = ?1) THEN 1 ELSE 0 END";
    assert_eq!(sqlite.sql, format!("SELECT t.\"k\", {masks} FROM \"v\" t WHERE t.\"k\" > ?3 ORDER BY t.\"k\""));
    assert_eq!(sqlite.params.len(), 3);
    let server = written(Dialect::SQL_SERVER);
    assert!(server.sql.contains("(d <= @P1 AND a > CAST(@P2 AS decimal(38,2)))"), "{}", server.sql);
    let postgres = written(Dialect::POSTGRES);
    let date = "CAST(pg_catalog.current_setting('filegen.date') AS pg_catalog.date)";
    assert!(postgres.sql.contains(&format!("(d = {date})")) && postgres.params.is_empty(), "{}", postgres.sql);
    assert!(shown(&Dialect::SQL_SERVER, &query).unwrap().contains("(d <= {date} AND a > {low})"));
    let statement = null_keys(&Dialect::SQLITE, &query).unwrap();
    assert_eq!(statement.params, [], "a statement without the predicates binds nothing");
}

#[test]
fn a_query_stands_in_the_place_of_a_view() {
    let mut query = query("v", &["k"], &["k"]);
    query.view = Relation::Query(with_params("WITH a AS (SELECT k FROM x WHERE d = {date}) SELECT k FROM a"));
    let sqlite = page_sql(&Dialect::SQLITE, &query, None, None, Range::All);
    let inner = "WITH a AS (SELECT k FROM x WHERE d = ?1) SELECT k FROM a";
    assert_eq!(sqlite, format!("SELECT t.\"k\" FROM ({inner}\n) t ORDER BY t.\"k\""));
    let server = page_sql(&Dialect::SQL_SERVER, &query, None, None, Range::All);
    let with = "WITH a AS (SELECT k FROM x WHERE d = @P1) \n, [filegen query] AS (SELECT k FROM a\n) ";
    assert_eq!(server, format!("{with}SELECT t.[k] FROM [filegen query] t ORDER BY t.[k]"));
    let counted = extent(&Dialect::SQL_SERVER, &Plain, &query, None).unwrap();
    assert!(counted.sql.starts_with(with) && counted.sql.matches("[filegen query] t").count() == 3, "{}", counted.sql);
    query.view = Relation::Function { name: ViewName::parse("dbo.f").unwrap(), arguments: with_params("{date}, 'x'") };
    assert!(page_sql(&Dialect::SQL_SERVER, &query, None, None, Range::All).contains("FROM [dbo].[f](@P1, 'x') t"));
    for bad in ["SELECT 1; SELECT 2", "DELETE FROM x", "SELECT '{date}'"] {
        query.view = Relation::Query(with_params(bad));
        let request = PageRequest { query: &query, after: None, until: None, range: Range::All };
        assert!(matches!(page(&Dialect::SQLITE, &Plain, &request), Err(SourceError::Refused { .. })), "{bad}");
    }
}
