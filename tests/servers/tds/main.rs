//! Runs the TDS server of the tests by hand: `cargo run --example tds-server -- [FILE] [PORT] [off|login|on]`, then
//! `tsql -H 127.0.0.1 -p 1433 -U sa -P secret`.
#![allow(
    unreachable_pub,
    missing_docs,
    dead_code,
    clippy::print_stdout,
    reason = "a tool for the developer, made of the tests' own module"
)]

#[path = "mod.rs"]
mod tds;

use std::net::SocketAddr;
use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let file = PathBuf::from(args.next().unwrap_or_else(|| "tds.db".to_owned()));
    let port = args.next().and_then(|text| text.parse().ok()).unwrap_or(1433);
    let encryption = match args.next().as_deref() {
        Some("off") => tds::Encryption::NotSupported,
        Some("on") => tds::Encryption::Required,
        _ => tds::Encryption::LoginOnly,
    };
    let options = tds::Options { encryption, user: ("sa".to_owned(), "secret".to_owned()), ..tds::Options::default() };
    let server = tds::Server::listen(&file, options, SocketAddr::from(([127, 0, 0, 1], port)))?;
    println!("{} on {}; {}", file.display(), server.address(), server.ado("TrustServerCertificate=true"));
    loop {
        std::thread::park();
    }
}
