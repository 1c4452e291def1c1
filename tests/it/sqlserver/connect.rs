//! Logins, TLS, packet sizes and read-only routing.

use super::{query, rows};
use crate::support::sqlserver::Database;
use crate::tds::{Encryption, Options, Server};
use filegen::adapters::sqlserver::SqlServerSource;
use filegen::core::model::names::ViewName;
use filegen::core::model::query::Isolation;
use filegen::core::model::secret::Secret;
use filegen::core::ports::source::{PageSource, SourceError};
use std::path::Path;

async fn columns(server: &Server, more: &str) -> Result<usize, SourceError> {
    let source = SqlServerSource::new(&Secret::new(server.ado(more))).unwrap();
    source.columns(&ViewName::parse("t").unwrap().into()).await.map(|columns| columns.len())
}

fn server(folder: &Path, encryption: Encryption) -> Server {
    rusqlite::Connection::open(folder.join("db"))
        .unwrap()
        .execute_batch("CREATE TABLE IF NOT EXISTS t (a int, b int)")
        .unwrap();
    Server::start(&folder.join("db"), Options { encryption, ..Options::default() }).unwrap()
}

#[tokio::test]
async fn tls_covers_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    for (encryption, more, encrypted) in [
        (Encryption::LoginOnly, "Encrypt=false", (true, false)),
        (Encryption::LoginOnly, "Encrypt=true;TrustServerCertificate=true", (true, true)),
        (Encryption::LoginOnly, "Encrypt=off", (false, false)),
        (Encryption::NotSupported, "Encrypt=off", (false, false)),
        (Encryption::Required, "TrustServerCertificate=true", (true, true)),
        (Encryption::Required, "Encrypt=false", (true, true)),
        (Encryption::Required, "Encrypt=strict;TrustServerCertificate=true", (true, true)),
    ] {
        let server = server(folder.path(), encryption);
        assert_eq!(columns(&server, more).await, Ok(2), "{encryption:?} {more}");
        assert_eq!(server.logins()[0].encrypted, encrypted, "{encryption:?} {more}");
    }
    let refused = columns(&server(folder.path(), Encryption::NotSupported), "Encrypt=true").await;
    assert!(refused.is_err(), "no password goes out in the clear");
    let refused = columns(&server(folder.path(), Encryption::Required), "Encrypt=off").await.unwrap_err();
    assert!(refused.to_string().contains("demands encryption"), "{refused}");
}

#[tokio::test]
async fn a_certificate_must_be_signed_by_a_known_authority() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), Encryption::Required);
    let unknown = columns(&server, "Encrypt=true").await.unwrap_err();
    assert!(matches!(&unknown, SourceError::Failed { reason, .. } if reason.contains("certificate")), "{unknown:?}");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, server.ca().unwrap()).unwrap();
    let own = format!("Encrypt=true;TrustServerCertificateCA={}", ca.display());
    assert_eq!(columns(&server, &own).await, Ok(2));
    let other = columns(&server, &format!("{own};HostNameInCertificate=db.example")).await.unwrap_err();
    assert!(other.to_string().contains("not valid for name"), "{other}");
}

#[tokio::test]
async fn a_login_says_what_it_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), Encryption::LoginOnly);
    let more = "Encrypt=false;Application Name=nightly loans;Packet Size=1024;ApplicationIntent=ReadOnly";
    assert_eq!(columns(&server, more).await, Ok(2));
    assert_eq!(columns(&server, "Encrypt=false").await, Ok(2));
    let logins = server.logins();
    let said: Vec<_> = logins.iter().map(|l| (l.application.as_str(), l.packet_size, l.read_only)).collect();
    assert_eq!(said, [("nightly loans", 1024, true), ("filegen", 32767, false)]);
    assert_eq!((logins[0].user.as_str(), logins[0].database.as_str()), ("sa", "loans"));
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_database_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), Encryption::LoginOnly);
    let wrong = columns(&server, "Encrypt=false;Password=hunter2").await.unwrap_err();
    assert!(matches!(&wrong, SourceError::Denied { reason, .. } if reason.contains("error 18456")), "{wrong:?}");
    assert!(!wrong.to_string().contains("hunter2") && wrong.to_string().contains("check User Id"), "{wrong}");
    let missing = columns(&server, "Encrypt=false;Database=nix").await.unwrap_err();
    assert!(matches!(&missing, SourceError::Denied { .. }) && missing.to_string().contains("4060"), "{missing:?}");
    assert!(missing.to_string().contains("check Database"), "{missing}");
}

#[tokio::test]
async fn a_partner_is_asked_where_the_server_is_away_or_has_no_such_database_now() {
    let folder = tempfile::tempdir().unwrap();
    let partner = server(folder.path(), Encryption::LoginOnly);
    let partner_at = format!("Failover Partner=127.0.0.1,{}", partner.address().port());
    let away = format!("Encrypt=false;Server=tcp:127.0.0.1,1;{partner_at}");
    assert_eq!(columns(&partner, &away).await, Ok(2));
    let options = Options { database: "other".to_owned(), ..Options::default() };
    let mirror = Server::start(&folder.path().join("db"), options).unwrap();
    let mirrored = format!("Encrypt=false;Database=loans;{partner_at}");
    assert_eq!(columns(&mirror, &mirrored).await, Ok(2));
    assert_eq!((mirror.logins().len(), partner.logins().len()), (1, 2));
    let both = "Encrypt=false;Server=tcp:127.0.0.1,1;Failover Partner=127.0.0.1,2";
    let error = columns(&partner, both).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn all_addresses_of_a_host_are_tried_at_once_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), Encryption::LoginOnly);
    let port = server.address().port();
    for host in ["localhost", "127.0.0.1"] {
        let at_once = format!("Encrypt=false;MultiSubnetFailover=True;Server=tcp:{host},{port}");
        assert_eq!(columns(&server, &at_once).await, Ok(2), "{host}");
    }
}

#[tokio::test]
async fn a_read_only_login_follows_the_route() {
    let folder = tempfile::tempdir().unwrap();
    let replica = server(folder.path(), Encryption::LoginOnly);
    let options = Options { read_only_route: Some(replica.address()), ..Options::default() };
    let primary = Server::start(&folder.path().join("db"), options).unwrap();
    assert_eq!(columns(&primary, "Encrypt=false;ApplicationIntent=ReadOnly").await, Ok(2));
    assert_eq!((primary.logins().len(), replica.logins().len()), (1, 1));
    assert!(primary.statements().is_empty(), "nothing is asked of the primary");
    assert_eq!(columns(&primary, "Encrypt=false").await, Ok(2));
    assert_eq!(replica.logins().len(), 1, "others stay");
}

#[tokio::test]
async fn rows_are_the_same_in_packets_of_any_size_and_under_tls() {
    let database = Database::fresh().await;
    database.execute("CREATE TABLE t (id int NOT NULL, name nvarchar(max))").await;
    let list: Vec<String> = (0..200).map(|id| format!("({id}, N'{}')", "ä".repeat(id * 7))).collect();
    database.execute(&format!("INSERT INTO t VALUES {}", list.join(", "))).await;
    let expected: Vec<_> = (0..200).map(|id| vec![Some("ä".repeat(id * 7))]).collect();
    for more in
        ["Packet Size=512", "Packet Size=4096", "", "Encrypt=false", "Encrypt=true;Packet Size=512", "Encrypt=strict"]
    {
        assert!(rows(&database.source(more), &query("t", &["id"], &["name"])).await == expected, "{more}");
    }
}

#[tokio::test]
async fn an_attention_stops_a_statement_and_leaves_the_connection_in_order() {
    let database = Database::here(Options::default());
    database.execute("CREATE TABLE t (id int NOT NULL, name nvarchar(max))").await;
    let list: Vec<String> = (0..1000).map(|id| format!("({id}, N'{}')", "x".repeat(4000))).collect();
    database.execute(&format!("INSERT INTO t VALUES {}", list.join(", "))).await;
    let mut client = database.client().await;
    drop(client.simple_query("SELECT * FROM t a CROSS JOIN t b").await.unwrap());
    client.cancel_query().await.unwrap();
    let row = client.simple_query("SELECT COUNT_BIG(*) FROM t").await.unwrap().into_row().await.unwrap().unwrap();
    assert_eq!(row.get::<i64, _>(0), Some(1000));
    assert_eq!(database.server().attentions(), 1);
}

#[tokio::test]
async fn each_session_is_told_all_its_settings_in_one_batch_before_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), Encryption::LoginOnly);
    let source = SqlServerSource::new(&Secret::new(server.ado("Encrypt=false"))).unwrap();
    let mut query = query("t", &["a"], &["b"]);
    for isolation in [Isolation::Default, Isolation::Snapshot] {
        query.isolation = isolation;
        let before = (server.logins().len(), server.statements().len());
        assert!(rows(&source, &query).await.is_empty());
        let statements = server.statements().split_off(before.1);
        let told = |sql: &&String| sql.contains("SET ");
        assert_eq!(statements.iter().filter(told).count(), server.logins().len() - before.0, "{statements:?}");
        for setting in [
            "LANGUAGE us_english; SET DATEFORMAT mdy; SET DATEFIRST 7",
            "ROWCOUNT 0",
            "TEXTSIZE 2147483647",
            "ANSI_NULLS ON",
            "ANSI_PADDING ON",
            "ANSI_WARNINGS ON",
            "ARITHABORT ON",
            "CONCAT_NULL_YIELDS_NULL ON",
            "QUOTED_IDENTIFIER ON",
            "NUMERIC_ROUNDABORT OFF",
            "IMPLICIT_TRANSACTIONS OFF",
            "NOCOUNT OFF",
        ] {
            assert!(statements[0].contains(&format!("SET {setting}")), "{setting}: {}", statements[0]);
        }
        assert_eq!(statements[0].ends_with("BEGIN TRANSACTION"), isolation == Isolation::Snapshot);
    }
}

#[tokio::test]
async fn a_route_keeps_the_name_that_the_server_expects() {
    let folder = tempfile::tempdir().unwrap();
    let replica = server(folder.path(), Encryption::Required);
    let options = Options {
        encryption: Encryption::Required,
        read_only_route: Some(replica.address()),
        route_name: Some(r"localhost\pool-7".to_owned()),
        ..Options::default()
    };
    let primary = Server::start(&folder.path().join("db"), options).unwrap();
    // Each has an authority of its own; the file holds both.
    let ca = folder.path().join("both.pem");
    std::fs::write(&ca, format!("{}{}", primary.ca().unwrap(), replica.ca().unwrap())).unwrap();
    let more = format!("ApplicationIntent=ReadOnly;TrustServerCertificateCA={}", ca.display());
    assert_eq!(columns(&primary, &more).await, Ok(2), "the certificate names the host alone");
    assert_eq!(primary.logins()[0].server, "127.0.0.1");
    assert_eq!(replica.logins()[0].server, r"localhost\pool-7");
}

#[tokio::test]
async fn a_login_that_is_refused_under_tls_is_told_in_the_servers_words() {
    let folder = tempfile::tempdir().unwrap();
    drop(server(folder.path(), Encryption::LoginOnly));
    let options = Options { refuses_under_tls: true, ..Options::default() };
    let server = Server::start(&folder.path().join("db"), options).unwrap();
    let wrong = columns(&server, "Encrypt=false;Password=hunter2").await.unwrap_err();
    assert!(matches!(&wrong, SourceError::Denied { reason, .. } if reason.contains("error 18456")), "{wrong:?}");
    assert_eq!(columns(&server, "Encrypt=false").await, Ok(2), "what is not refused goes on in the clear");
}
