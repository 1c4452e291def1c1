#!/usr/bin/env bash
# NATS 2.15.2: a message that has used up `max_deliver` stays away for good, and every number says all is well.
#
# One would expect: raise `max_deliver` on the consumer (the config is accepted), or restart, and the message is tried
#   again; or at least some count shows that it waits.
# What happens: neither a higher limit nor no limit nor a restart brings it back. The stream of a work queue still holds
#   it, the consumer reports 0 pending and 0 waiting for an ack. Only a consumer that is deleted and made anew gets it.
# Why it matters: five quick failures while a database is away park a file for ever; monitoring of pending counts is green.
# Safely: watch "messages in the stream minus pending minus ack pending" of a work queue, or the server's max-deliveries
#   advisory; count attempts in the worker and leave `max_deliver` at -1; re-drive by making the consumer anew.
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
from nats.errors import TimeoutError
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StreamConfig
from server import Server

def config(limit):
    return ConsumerConfig(durable_name="worker", ack_policy=AckPolicy.EXPLICIT, max_deliver=limit, ack_wait=1)

async def main():
    server = Server()
    js = await server.start()
    print("nats-server", server.client.connected_server_version)
    await js.add_stream(StreamConfig(name="files", subjects=["files"], retention=RetentionPolicy.WORK_QUEUE))
    await js.add_consumer("files", config(2))
    await js.publish("files", b"day.csv")

    async def fetch(what):
        worker = await js.pull_subscribe_bind("worker", stream="files")
        try:
            [message] = await worker.fetch(1, timeout=3)
            await message.nak()
            got = f"delivery {message.metadata.num_delivered}"
        except TimeoutError:
            got = "nothing"
        consumer = await js.consumer_info("files", "worker")
        stream = await js.stream_info("files")
        print(f"{what:32} {got:12} stream holds {stream.state.messages}, pending {consumer.num_pending}, "
              f"ack pending {consumer.num_ack_pending}, max_deliver {consumer.config.max_deliver}")
        return got, stream.state.messages, consumer.num_pending, consumer.num_ack_pending

    assert (await fetch("first try"))[0] == "delivery 1"
    assert (await fetch("second try"))[0] == "delivery 2"
    lost = ("nothing", 1, 0, 0)
    assert await fetch("limit reached") == lost
    await js.add_consumer("files", config(10))
    assert await fetch("limit raised to 10") == lost
    await js.add_consumer("files", config(-1))
    assert await fetch("limit taken away") == lost
    js = await server.restart()
    assert await fetch("server restarted") == lost
    await js.delete_consumer("files", "worker")
    await js.add_consumer("files", config(10))
    assert (await fetch("consumer made anew"))[0] == "delivery 1"
    await server.stop()
    print("seen: only a new consumer gets the message")

asyncio.run(main())
PY
