#!/usr/bin/env bash
# NATS 2.15.2: "duplicate" is answered, with a sequence number, for a message that the stream no longer has.
#
# One would expect: an ack with duplicate=true means that the message is safely there already, so the sender is done.
# What happens: the ids outlive their messages. After a purge, a delete of the message, or when its own TTL has run out,
#   the same publish is answered duplicate=true with the old sequence, and nothing is stored: the stream stays empty
#   until the window ends. The sender sees the same answer as in the good case.
# Why it matters: "purge, then send the day again" is the usual repair; all of it is acked and none of it is stored.
# Safely: send a repeat under new ids; or read the acked sequence back (get_msg) before calling the file delivered; keep
#   the duplicate window shorter than the TTL.
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
import asyncio, json
from nats.js.errors import NotFoundError
from server import Server

async def main():
    server = Server()
    js = await server.start()
    nc = server.client
    print("nats-server", nc.connected_server_version)

    async def api(subject, body):
        answer = json.loads((await nc.request("$JS.API." + subject, json.dumps(body).encode(), timeout=5)).data)
        assert "error" not in answer, answer
        return answer

    async def publish(kind, **headers):
        ack = await js.publish(kind, b"day.csv", headers={"Nats-Msg-Id": "day.csv"} | headers)
        return ack.seq, bool(ack.duplicate)

    async def seen(kind, what, **headers):
        sequence, duplicate = await publish(kind, **headers)
        try:
            await js.get_msg(kind, seq=sequence)
            there = "there"
        except NotFoundError:
            there = "not there"
        held = (await js.stream_info(kind)).state.messages
        print(f"{what:36} acked as {sequence}, duplicate {duplicate}; message {sequence} is {there}, stream holds {held}")
        return duplicate, there, held

    for kind in ("purged", "deleted", "expired"):
        ttl = {"Nats-TTL": "1s"} if kind == "expired" else {}
        await api(f"STREAM.CREATE.{kind}", {"name": kind, "subjects": [kind], "storage": "file",
                                            "allow_msg_ttl": True, "duplicate_window": 3600 * 10**9})
        assert await publish(kind, **ttl) == (1, False)
        if ttl:
            for _ in range(100):
                if (await js.stream_info(kind)).state.messages == 0:
                    break
                await asyncio.sleep(0.1)
        elif kind == "purged":
            await js.purge_stream(kind)
        else:
            await js.delete_msg(kind, 1)
        assert await seen(kind, f"{kind}: the same publish again", **ttl) == (True, "not there", 0)
    await server.stop()
    print("seen: acked as a duplicate of nothing")

asyncio.run(main())
PY
