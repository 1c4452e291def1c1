#!/usr/bin/env bash
# async-nats 0.51.0 against nats-server 2.15.2: the 1,001st read of an object within half a minute fails.
#
# One would expect: an object that is read to its end leaves nothing behind; a worker that fetches thousands of small
#   files from a NATS object store runs as long as there are files.
# What happens: each read makes a consumer on the server, which stays for about 30 s after the last byte. Since 2.15 the
#   server caps a stream at 1,000 consumers also where the stream says `max_consumers: -1`. `get` still succeeds; the
#   read itself then ends with "maximum consumers limit reached", code 10026, which reads like a broken object.
# Why it matters: tests with a few hundred files pass; a night's backlog of thousands of small files stops at 1,000.
# Safely: small payloads as messages of a stream, not as objects; otherwise at most some 30 object reads a second, and
#   on 10026 wait half a minute and read again.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
cd "$work"
GOBIN="$work/bin" go install github.com/nats-io/nats-server/v2@v2.15.2
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "objects"
version = "0.1.0"
edition = "2021"

[dependencies]
async-nats = "=0.51.0"
tokio = { version = "=1.54.1", features = ["rt", "macros", "io-util"] }
TOML
cat > src/main.rs <<'RUST'
use async_nats::jetstream::{self, object_store::Config};
use std::time::Instant;
use tokio::io::AsyncReadExt;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let client = async_nats::ConnectOptions::new().retry_on_initial_connect().connect(url).await.unwrap();
    let context = jetstream::new(client.clone());
    let mut bucket = None;
    for _ in 0..20 {
        bucket = context.create_object_store(Config { bucket: "files".into(), ..Default::default() }).await.ok();
        if bucket.is_some() {
            break;
        }
    }
    let bucket = bucket.expect("the server did not answer");
    println!("nats-server {}", client.server_info().version);
    bucket.put("day.csv", &mut &b"id,amount\n1,2\n"[..]).await.unwrap();

    let start = Instant::now();
    let mut read = 0;
    let error = loop {
        let mut object = bucket.get("day.csv").await.expect("get itself succeeds");
        let mut bytes = Vec::new();
        match object.read_to_end(&mut bytes).await {
            Ok(n) => assert_eq!(n, 14),
            Err(e) => break e.to_string(),
        }
        read += 1;
        assert!(read < 3_000, "no limit met");
    };
    let mut stream = context.get_stream("OBJ_files").await.unwrap();
    let info = stream.info().await.unwrap();
    println!(
        "{read} reads whole in {:.1} s, then: {error}\nconsumers on the stream: {}, its max_consumers: {}",
        start.elapsed().as_secs_f32(), info.state.consumer_count, info.config.max_consumers
    );
    assert!(read == 1_000 && error.contains("10026"));
    println!("seen: reads that are over count against a limit of 1,000");
}
RUST
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
bin/nats-server -a 127.0.0.1 -p "$port" -js -sd js > nats.log 2>&1 &
pids+=($!)
CARGO_PROFILE_DEV_DEBUG=0 cargo run -q -- "nats://127.0.0.1:$port"
