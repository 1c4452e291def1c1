//! A server whose certificate is of a bank's own authority, which no list of the world's authorities knows.

use super::TTL;
use crate::support::filegen::Filegen;
use crate::support::mongo::TlsServer;
use crate::support::state::key;
use filegen::adapters::mongo::MongoState;
use filegen::core::model::secret::Secret;
use filegen::core::ports::leases::LeaseStore;

#[tokio::test(flavor = "multi_thread")]
async fn an_own_authority_is_named_in_the_address_or_the_server_is_not_believed() {
    let server = tokio::task::spawn_blocking(TlsServer::start).await.unwrap();
    let connect = async |more: &str| MongoState::connect(&Secret::new(server.url(more)), TTL).await.unwrap();
    let error = connect("").await.read(&key("W")).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("UnknownIssuer") && text.contains("tlsCAFile"), "as the runbook has it: {text}");
    let named = format!("&tlsCAFile={}", server.ca().display());
    assert_eq!(connect(&named).await.read(&key("W")).await, Ok(None));
    // The same server by a name that its certificate does not have.
    let other = Secret::new(server.url(&named).replace("localhost", "127.0.0.1"));
    let error = MongoState::connect(&other, TTL).await.unwrap().read(&key("W")).await.unwrap_err().to_string();
    assert!(error.contains("NotValidForName") || error.contains("not valid for name"), "{error}");

    let filegen = Filegen::with_loans(5);
    let text = filegen.read("worker.yaml");
    let with = |url: String| filegen.write("worker.yaml", &format!("{text}state: {{ url: \"{url}\" }}\n"));
    with(server.url(""));
    let done = filegen.run("doctor -c worker.yaml").exits(6);
    assert!(done.stdout.contains("UnknownIssuer"), "{}", done.stdout);
    with(server.url(&named));
    filegen.publish();
    filegen.run("doctor -c worker.yaml").exits(0);
    with(server.url("&tlsCAFile=/nowhere/bank.pem"));
    let done = filegen.run("status -c worker.yaml");
    assert!(done.code != Some(0) && done.stderr.contains("/nowhere/bank.pem"), "{done:?}");
}
