#!/usr/bin/env bash
# redis 1.8.1 (Rust) against Redis 7.0: a push that the server carries out comes back as "timed out, retry at once".
#
# One would expect: a command waits for its answer, or the connection breaks and one knows nothing; whatever the crate
#   calls safe to retry was not done.
# What happens: a multiplexed connection gives up after 500 ms of silence unless told otherwise. The command stays in the
#   socket and is carried out when the server is free again: here another client's script of 900 ms is in the way. The
#   error says is_timeout, is_connection_dropped() is false and retry_method() is RetryImmediately. A caller who does
#   what the crate says has the event in the list twice.
# Why it matters: a slow script, a fork for a snapshot or a swapped page is enough for half a second; dead-letter lists and
#   outboxes are LPUSHed like this.
# Safely: `set_response_timeout(None)` or a long one; make the step repeatable by itself (one Lua script: HSETNX, then
#   LPUSH if it was new); read retry_method() as "the connection is usable", not as "it was not done".
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download redis-server redis-tools liblua5.1-0 lua-cjson lua-bitop libjemalloc2 liblzf1
for deb in *.deb; do dpkg -x "$deb" deb; done
libs=$(dirname "$(find deb -name liblzf.so.1 | head -n 1)")
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
LD_LIBRARY_PATH="$work/$libs" deb/usr/bin/redis-server --bind 127.0.0.1 --port "$port" --save '' --dir "$work" > redis.log 2>&1 &
pids+=($!)
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "push"
version = "0.1.0"
edition = "2021"

[dependencies]
redis = { version = "=1.8.1", features = ["tokio-comp"] }
tokio = { version = "=1.54.1", features = ["rt", "macros", "time"] }
TOML
cat > src/main.rs <<'RUST'
use redis::{aio::MultiplexedConnection, AsyncCommands, AsyncConnectionConfig, Client, RedisResult};
use std::time::Duration;

/// Holds the server for about 900 ms: every other client waits that long for an answer.
const BUSY: &str = "local function now() local t = redis.call('TIME'); return t[1] * 1000 + t[2] / 1000 end
    local start = now() while now() - start < 900 do end return 1";

async fn while_busy(client: &Client, pusher: &mut MultiplexedConnection, event: &str) -> RedisResult<i64> {
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let mut other = client.get_multiplexed_async_connection_with_config(&config).await.unwrap();
    let script = tokio::spawn(async move { redis::Script::new(BUSY).invoke_async::<_, i64>(&mut other).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let answer = pusher.lpush("failed", event).await;
    script.await.unwrap().unwrap();
    answer
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = Client::open(std::env::args().nth(1).unwrap()).unwrap();
    let mut pusher = loop {
        match client.get_multiplexed_async_connection().await {
            Ok(connection) => break connection,
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    };
    let error = while_busy(&client, &mut pusher, "event-1").await.expect_err("the push was answered in time");
    println!("first push: {error}; is_timeout {}, is_connection_dropped {}, retry_method {:?}",
        error.is_timeout(), error.is_connection_dropped(), error.retry_method());
    assert!(error.is_timeout() && !error.is_connection_dropped());
    assert_eq!(format!("{:?}", error.retry_method()), "RetryImmediately");
    let length: i64 = pusher.lpush("failed", "event-1").await.unwrap();
    let list: Vec<String> = pusher.lrange("failed", 0, -1).await.unwrap();
    println!("second push, as advised: length {length}, the list holds {list:?}");
    assert_eq!(list, ["event-1", "event-1"]);

    let patient = AsyncConnectionConfig::new().set_response_timeout(None);
    let mut patient = client.get_multiplexed_async_connection_with_config(&patient).await.unwrap();
    let length = while_busy(&client, &mut patient, "event-2").await.expect("no time limit, no error");
    println!("the same with set_response_timeout(None): length {length}, no error");
    assert_eq!(length, 3);
    println!("seen: a push that was done is called safe to repeat");
}
RUST
LD_LIBRARY_PATH="$work/$libs" deb/usr/bin/redis-server --version | cut -d' ' -f1-3
CARGO_PROFILE_DEV_DEBUG=0 cargo run -q -- "redis://127.0.0.1:$port"
