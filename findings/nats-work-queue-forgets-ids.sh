#!/usr/bin/env bash
# NATS 2.15.2: a restart makes a work-queue stream store the same message id twice within the duplicate window.
#
# One would expect: `duplicate_window` of an hour holds for an hour. It survives a restart on a limits stream.
# What happens: the ids are rebuilt from the messages that are still stored. On a work-queue stream, and on an interest
#   stream, an acked message is gone, and its id with it: after a clean restart a publish with the same Nats-Msg-Id is
#   stored again, with no `duplicate` in the answer. Before the restart the same publish was called a duplicate.
# Why it matters: "publish again until it is confirmed, the id makes it once" is how files and events are handed over;
#   a rolling upgrade of the server is enough for a second delivery of what was already worked off.
# Safely: keep the ledger of ids at the receiving side; or a limits stream with `max_age` over the window.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
GOBIN="$work/bin" go install github.com/nats-io/nats-server/v2@v2.15.2
python3 -m venv venv
venv/bin/pip -q install nats-py==2.16.0

cat > server.py <<'PY'
"""A nats-server on a free port, with its files in ./js; it is ended by its process id."""
import asyncio, signal, socket, subprocess
import nats

async def ignore(_):
    pass

class Server:
    def __init__(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]

    async def start(self):
        self.log = open("nats.log", "a")
        self.process = subprocess.Popen(["bin/nats-server", "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", "js"],
                                        stdout=self.log, stderr=self.log)
        for _ in range(100):
            try:
                self.client = await nats.connect(f"nats://127.0.0.1:{self.port}", allow_reconnect=False, error_cb=ignore)
                return self.client.jetstream()
            except OSError:
                await asyncio.sleep(0.1)
            except nats.errors.NoServersError:
                await asyncio.sleep(0.1)
        raise SystemExit("the server did not answer")

    async def stop(self):
        await self.client.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    async def restart(self):
        await self.stop()
        return await self.start()
PY

venv/bin/python - <<'PY'
import asyncio
from nats.js.api import RetentionPolicy, StreamConfig
from server import Server

async def main():
    server = Server()
    js = await server.start()
    print("nats-server", server.client.connected_server_version)
    kinds = {"limits": RetentionPolicy.LIMITS, "workqueue": RetentionPolicy.WORK_QUEUE,
             "interest": RetentionPolicy.INTEREST}

    async def publish(js, kind):
        ack = await js.publish(f"files.{kind}", b"day.csv", headers={"Nats-Msg-Id": "day.csv/sha256"})
        return "duplicate" if ack.duplicate else "stored"

    seen = {}
    for kind, retention in kinds.items():
        await js.add_stream(StreamConfig(name=kind, subjects=[f"files.{kind}"], retention=retention,
                                         duplicate_window=3600))
        worker = await js.pull_subscribe(f"files.{kind}", "worker", stream=kind)
        seen[kind] = [await publish(js, kind)]
        [message] = await worker.fetch(1, timeout=5)
        await message.ack_sync()
        seen[kind].append(await publish(js, kind))
    js = await server.restart()
    for kind in kinds:
        seen[kind].append(await publish(js, kind))
    await server.stop()
    for kind, answers in seen.items():
        print(f"{kind:10} first {answers[0]}, again after the ack {answers[1]}, again after a restart {answers[2]}")
    assert seen["limits"] == ["stored", "duplicate", "duplicate"]
    assert seen["workqueue"] == seen["interest"] == ["stored", "duplicate", "stored"]
    print("seen: the window ends at a restart where acks remove messages")

asyncio.run(main())
PY
