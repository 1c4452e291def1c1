#!/usr/bin/env bash
# NATS 2.15.2: behind the ack of a publish, a pull that does not wait is told that there is nothing.
#
# One would expect: one server, one connection, one consumer. The ack says that the message is stored; the next request,
#   "give me what there is, do not wait" (`no_wait`), brings it.
# What happens: about one such request in two hundred is answered with 404 No Messages, with file and with memory storage,
#   for work queues and for streams that keep their messages. The same request a millisecond later brings the message.
# Why it matters: "take all until it is empty, then end" is how batch jobs, tests and scale-to-zero workers read a queue.
#   Now and then such a job ends with the day's last message left behind, and says that all is done.
# Safely: empty is a hint. Ask the consumer for `num_pending` and the stream for its last sequence before calling it the
#   end, or pull with a time to wait (`expires`), and end on the time-out.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
GOBIN="$work/bin" go install github.com/nats-io/nats-server/v2@v2.15.2
python3 -m venv venv
venv/bin/pip -q install nats-py==2.16.0

cat > empty.py <<'PY'
import asyncio, json, signal, socket, subprocess, time
import nats
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig

ENOUGH, PATIENCE = 3, 60

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]

async def ignore(_):
    pass

async def connect():
    for _ in range(100):
        try:
            return await nats.connect(f"nats://127.0.0.1:{port}", allow_reconnect=False, error_cb=ignore)
        except (OSError, nats.errors.NoServersError):
            await asyncio.sleep(0.1)
    raise SystemExit("the server did not answer")

async def pull(client):
    """What the server says to one request for one message, without waiting: a message, or its status."""
    inbox = client.new_inbox()
    answers = await client.subscribe(inbox, max_msgs=1)
    wanted = json.dumps({"batch": 1, "no_wait": True}).encode()
    await client.publish("$JS.API.CONSUMER.MSG.NEXT.files.w", wanted, reply=inbox)
    return await answers.next_msg(timeout=5)

async def tried(client, storage, retention):
    js = client.jetstream()
    await js.add_stream(StreamConfig(name="files", subjects=["files"], storage=storage, retention=retention))
    await js.add_consumer("files", ConsumerConfig(durable_name="w", ack_policy=AckPolicy.EXPLICIT))
    published = empty = 0
    begun = time.monotonic()
    while empty < ENOUGH and time.monotonic() - begun < PATIENCE:
        stored = await js.publish("files", b"day.csv")
        published += 1
        answer = await pull(client)
        if answer.headers:
            assert answer.headers["Status"] == "404", answer.headers
            empty += 1
            # It was there: the ack gave its number, and the next request brings that very message.
            answer = await pull(client)
            while answer.headers:
                answer = await pull(client)
        assert int(answer.reply.split(".")[5]) == stored.seq
        await client.publish(answer.reply, b"+ACK")
    print(f"{storage.value:7} {retention.value:10} {published:6} published and acknowledged, {empty} of them \"404 No Messages\" right behind it")
    await js.delete_stream("files")
    return empty

async def main():
    client = await connect()
    print("nats-server", client.connected_server_version)
    for storage in (StorageType.FILE, StorageType.MEMORY):
        for retention in (RetentionPolicy.WORK_QUEUE, RetentionPolicy.LIMITS):
            assert await tried(client, storage, retention) == ENOUGH
    await client.close()
    print("seen: a message that is stored is not there for a moment")

server = subprocess.Popen(["bin/nats-server", "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", "js"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    asyncio.run(main())
finally:
    server.send_signal(signal.SIGTERM)
    server.wait()
PY
venv/bin/python empty.py
