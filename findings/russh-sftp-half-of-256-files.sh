#!/usr/bin/env bash
# russh-sftp 3.0.1 (Rust) against OpenSSH's sftp-server: of 256 files that are open at once, the second half cannot be read or written.
#
# One would expect: a handle is a string of bytes that only the server understands, and comes back as it was given; OpenSSH
#   offers hundreds of them.
# What happens: the crate keeps a handle as text and puts a replacement character where bytes are no UTF-8. OpenSSH's
#   handles are a number in four bytes: up to 127 they are ASCII, 128 is `00 00 00 80` and goes back as six bytes. open() of
#   that file succeeds (and makes it), each write, read and stat says "Failure", and so does its close: the server keeps it
#   open until the session ends. So does every number whose last byte is above 127: 128 files work, 128 do not, and so on.
# Why it matters: a mover with many files in hand works in each trial and fails under load, with an error that looks like the
#   server's disk; the names stand there with 0 bytes.
# Safely: at most 128 files open in one session, folders that are being listed among them; several sessions beyond that.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download openssh-sftp-server
dpkg -x openssh-sftp-server_*.deb deb
mkdir src files
cat > Cargo.toml <<'TOML'
[package]
name = "handles"
version = "0.1.0"
edition = "2021"

[dependencies]
russh-sftp = "=3.0.1"
tokio = { version = "=1.54.1", features = ["rt", "macros", "io-util", "process"] }
TOML
cat > src/main.rs <<'RUST'
use russh_sftp::client::SftpSession;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (server, folder) = (&arguments[0], &arguments[1]);
    // The server speaks over its standard input and output, as it does behind sshd.
    let mut server = tokio::process::Command::new(server)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("sftp-server runs");
    let stream = tokio::io::join(server.stdout.take().unwrap(), server.stdin.take().unwrap());
    let session = SftpSession::new(stream).await.expect("a session");
    let mut open = Vec::new();
    for number in 0..300 {
        let path = format!("{folder}/{number}.txt");
        let mut file = session.create(path.clone()).await.expect("open() succeeds");
        let written = async {
            file.write_all(b"1,2,3\n").await?;
            file.flush().await
        }
        .await;
        if number == 128 {
            println!("the 129th file: opened, and the write says: {}", written.as_ref().expect_err("it fails"));
        }
        let bytes = std::fs::metadata(&path).unwrap().len();
        let works = !(128..256).contains(&number);
        assert_eq!((written.is_ok(), bytes), (works, if works { 6 } else { 0 }), "file {number}: {written:?}");
        open.push((file, works));
    }
    // Those that work are closed; the session is sound.
    for (mut file, works) in open {
        let closed = file.shutdown().await;
        assert_eq!(closed.is_ok(), works, "a close of one that was {works}: {closed:?}");
    }
    let mut again = session.create(format!("{folder}/again.txt")).await.expect("open");
    again.write_all(b"1\n").await.expect("behind the closes, the low handles are there again");
    again.shutdown().await.expect("close");
    println!("seen: 128 files at once work, the next 128 are empty and cannot be closed, the 257th works again");
}
RUST
echo "openssh-sftp-server $(dpkg-deb -f openssh-sftp-server_*.deb Version)"
CARGO_PROFILE_DEV_DEBUG=0 cargo run -q -- "$work/deb/usr/lib/openssh/sftp-server" "$work/files"
