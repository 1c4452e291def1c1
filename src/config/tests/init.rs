//! Worker files to start from, and the columns in them.

use super::*;
use crate::core::model::column::{Column, Kind, Observed};

fn columns(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| Column { name: (*name).to_owned(), kind: Kind::Text }).collect()
}

/// A view with every kind of column.
fn view() -> Vec<Column> {
    let kinds = [
        ("Loan Id", Kind::Int),
        ("null", Kind::Text),
        ("${X}", Kind::Bool),
        ("Amount", Kind::Decimal { precision: 15, scale: 2 }),
        ("Rate", Kind::Float64),
        ("Any", Kind::Number),
        ("Ref", Kind::Uuid),
        ("Doc", Kind::Json),
        ("Hash", Kind::Bytes),
        ("StartDate", Kind::Date),
        ("At", Kind::Time { digits: 7 }),
        ("Changed", Kind::Timestamp { digits: 3, utc: true }),
        ("Seen", Kind::TimestampText),
    ];
    kinds.map(|(name, kind)| Column { name: name.to_owned(), kind }).to_vec()
}

#[test]
fn the_example_is_fit_for_use() {
    let worker = parsed(crate::config::init::EXAMPLE, &[]).unwrap().into_worker().unwrap();
    assert_eq!(worker.policies, Policies::default());
    assert_eq!(worker.trigger, None);
    // Only its last lines are turned off; turned on, they fit too.
    let all = crate::config::init::EXAMPLE.replace("# trigger:", "trigger:").replace("# completion:", "completion:");
    let all = parsed(&all, &[]).unwrap().into_worker().unwrap();
    assert_eq!(all.trigger.as_ref().unwrap().kafka.group.as_deref(), Some("filegen-LoanWorker"));
    assert_eq!(all.completion.as_ref().unwrap().topic, "file-events");
}

#[test]
fn what_is_made_of_a_view_is_fit_for_use() {
    let columns = view();
    let sample = Sample {
        url: Some("sqlite:my loans.db"),
        view: "dbo.[v_Loan.Data]",
        key: &[],
        columns: &columns,
        observed: &[],
        receiver: None,
    };
    let text = sample.to_yaml().unwrap();
    insta::assert_snapshot!(text);
    let loaded = parsed(&text, &[]).unwrap();
    assert_eq!(loaded.flow.worker().unwrap().source.key, ["Loan Id"]);
    let [.., json] = loaded.flow.worker().unwrap().files.as_slice() else { panic!("{text}") };
    let TranslatorSpec::Json(json) = &json.translator else { panic!("{text}") };
    let names: Vec<&str> = json.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.into_iter().eq(columns.iter().map(|column| column.name.as_str())), "{text}");
    loaded.check_columns(&columns, false, &Registry::default()).unwrap();
}

#[test]
fn a_column_that_was_seen_to_be_no_key_is_not_guessed() {
    let columns = columns(&["CustomerId", "LoanId", "Note"]);
    let key_line = |repeats: [bool; 3]| {
        let observed = repeats.map(|repeats| Observed { repeats, ..Observed::default() });
        let sample = Sample { url: None, view: "v", key: &[], columns: &columns, observed: &observed, receiver: None };
        sample.to_yaml().unwrap().lines().find(|line| line.starts_with("  key:")).unwrap().to_owned()
    };
    assert!(key_line([false; 3]).starts_with("  key: [CustomerId]  # a guess"));
    assert!(key_line([true, false, false]).starts_with("  key: [LoanId]  # a guess"));
    assert!(key_line([true, true, false]).starts_with("  key: [Note]  # a guess"));
    assert!(key_line([true; 3]).starts_with("  key: [CustomerId]  # no column alone is a key"));
}

#[test]
fn widths_fit_what_is_declared_and_what_was_seen() {
    let columns = columns(&["Code", "Name", "Note", "Wide", "Free"]);
    let seen = |length, longest, widest, breaks| Observed { length, longest, widest, breaks, repeats: false };
    let observed = [
        seen(Some(3), 3, 1, false),
        seen(Some(5), 7, 2, false),
        seen(None, 12, 1, true),
        seen(None, 80, 1, false),
        seen(Some(8000), 4, 1, false),
    ];
    let text = Sample {
        url: Some("sqlite:a.db"),
        view: "v",
        key: &[],
        columns: &columns,
        observed: &observed,
        receiver: None,
    };
    let text = text.to_yaml().unwrap();
    for line in [
        "          - { column: Code, width: 3 }  # text of at most 3 characters\n",
        "          - { column: Name, width: 10 }  # text of at most 5 characters of up to 2 bytes\n",
        "          # - { column: Note, width: 40 }  # text; left out: its values hold line breaks, which a record cannot\n",
        "          - { column: Wide, width: 100 }  # text; at most 80 bytes in the rows looked at\n",
        "          - { column: Free, width: 40 }  # text\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    parsed(&text, &[]).unwrap();
}

#[test]
fn what_is_made_for_a_receiver_is_the_file_that_it_takes() {
    let columns = view();
    let of = |receiver| Sample {
        url: Some("sqlite:a.db"),
        view: "v_Loans",
        key: &[],
        columns: &columns,
        observed: &[],
        receiver: Some(receiver),
    };
    for receiver in crate::config::receivers::NAMES {
        let text = of(receiver).to_yaml().unwrap();
        let loaded = parsed(&text, &[]).unwrap_or_else(|error| panic!("{error}"));
        assert!(loaded.warnings(&Notes::default()).is_none(), "{receiver}");
        let [file] = loaded.flow.worker().unwrap().files.as_slice() else { panic!("{text}") };
        assert!(!file.progress_header, "{receiver}");
    }
    assert!(of("duckdb").to_yaml().unwrap().contains("    receiver: duckdb  #"));
    assert!(of("duckbd").to_yaml().unwrap_err().contains("did you mean `duckdb`?"));
}

#[test]
fn a_password_is_not_written_into_a_new_worker_file() {
    let columns = columns(&["A"]);
    for url in ["postgres://ann:s3cret@h/db", "Server=h;Password=s3cret;Encrypt=true"] {
        let url = Some(url);
        let text =
            Sample { url, view: "v", key: &[], columns: &columns, observed: &[], receiver: None }.to_yaml().unwrap();
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("SQL_CONNECTION_STRING") && parsed(&text, &[]).is_err(), "{text}");
    }
    let text =
        Sample { url: None, view: "v", key: &[], columns: &columns, observed: &[], receiver: None }.to_yaml().unwrap();
    let environment = [("SQL_CONNECTION_STRING", "postgres://h/db")];
    assert_eq!(parsed(&text, &environment).unwrap().into_worker().unwrap().source.url.reveal(), "postgres://h/db");
}

#[test]
fn a_view_can_be_looked_at_before_there_is_a_worker_file() {
    let vars = vars(&[("PW", "a: [\"'")]);
    let worker = look_at(Some("postgres://ann:${PW}@h/db"), "sales.My View", &vars).unwrap();
    assert_eq!(worker.source.url.reveal(), "postgres://ann:a: [\"'@h/db");
    assert_eq!(worker.source.view.name().unwrap().parts(), ["sales", "My View"]);
    for (url, view, told) in [
        (None, "v", "SQL_CONNECTION_STRING"),
        (Some("mysql://a:s3cret@h"), "v", "mysql:"),
        (Some("sqlite:a.db"), "a..b", "a..b"),
        (Some("${NOPE}"), "v", "NOPE"),
    ] {
        let (message, hint) = look_at(url, view, &vars).unwrap_err();
        let all = format!("{message}; {hint}");
        assert!(all.contains(told) && !all.contains("s3cret"), "{all}");
    }
}

#[test]
fn a_key_that_the_view_does_not_have_is_refused() {
    let columns = columns(&["LoanId", "Line"]);
    let sample = |key: &[String]| {
        Sample { url: None, view: "v", key, columns: &columns, observed: &[], receiver: None }.to_yaml()
    };
    assert!(sample(&["LoanId".to_owned(), "Line".to_owned()]).unwrap().contains("key: [LoanId, Line]\n"));
    let error = sample(&["loan_id".to_owned()]).unwrap_err();
    assert!(error.contains("`LoanId`"), "{error}");
}

#[test]
fn columns_that_the_view_does_not_have_are_told_with_their_places() {
    let loaded = parsed(DESIGN, &[]).unwrap();
    let refused = |loaded: &Loaded, names: &[&str]| {
        let error = loaded.check_columns(&columns(names), false, &Registry::default()).unwrap_err();
        error.to_string().replace("/etc/filegen/", "").lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let all = ["LoanId", "CustomerId", "Amount", "StartDate", "Status", "InterestRate", "Balance"];
    loaded.check_columns(&columns(&all), false, &Registry::default()).unwrap();
    let otherwise = all.map(str::to_lowercase);
    let otherwise: Vec<&str> = otherwise.iter().map(String::as_str).collect();
    loaded.check_columns(&columns(&otherwise), true, &Registry::default()).unwrap();
    let lines = refused(&loaded, &["loanid", "CustomerId", "Amount", "StartDate", "Status", "InterestRate"]);
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert_eq!(lines[0], "worker.yaml:5:9: the view has no column `LoanId` (did you mean `loanid`?)");
    assert!(lines[5].starts_with("worker.yaml:31:46: the view has no column `Balance` (it has `loanid`,"), "{lines:?}");

    // A sum's column stands within a text.
    let text = DESIGN.replace("    event_type: LoanDataReady", "    last_record: \"{{ rows }} {{ sum.Fee }}\"");
    let lines = refused(&parsed(&text, &[]).unwrap(), &all);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("worker.yaml:12:18: the view has no column `Fee`"), "{lines:?}");
}
