#!/usr/bin/env bash
# NATS 2.15.2: who was given a message first may give it back, hold it or end it after it has gone to somebody else.
#
# One would expect: once `ack_wait` is over and the message is delivered again, answers to the first delivery count for
#   nothing. The subject to answer to even has the delivery's number in it.
# What happens: the server looks at the message alone. A NAK of the first delivery brings a third one at once, while the
#   second is being worked on. A NAK with a delay of a minute takes the clock of the second delivery away: when its worker
#   dies, nobody gets the message for that minute, whatever `ack_wait` says. "In progress" of the first delivery keeps
#   the message from everybody for as long as it comes, though the second worker is dead. ACK and TERM of the first
#   delivery remove it under the second.
# Why it matters: a worker that was stopped for longer than `ack_wait` (a suspended machine, a full disk, a debugger)
#   wakes up and does what any worker does with a failure: NAK with a back-off. Two then work on one file, or none.
# Safely: measure the time since the delivery on a clock that counts suspension, and answer only well within `ack_wait`;
#   let a store with a token of its own decide whose result counts.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
GOBIN="$work/bin" go install github.com/nats-io/nats-server/v2@v2.15.2
python3 -m venv venv
venv/bin/pip -q install nats-py==2.16.0

cat > old.py <<'PY'
import asyncio, signal, socket, subprocess, time
import nats
from nats.errors import TimeoutError
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StreamConfig

WAIT = 2

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

async def main():
    clients = [await connect() for _ in range(3)]
    print("nats-server", clients[0].connected_server_version, "ack_wait", WAIT, "s")
    js = clients[0].jetstream()
    await js.add_stream(StreamConfig(name="files", subjects=["files"], retention=RetentionPolicy.WORK_QUEUE))
    await js.add_consumer("files", ConsumerConfig(durable_name="w", ack_policy=AckPolicy.EXPLICIT, ack_wait=WAIT, max_deliver=-1))
    first, second, third = [await c.jetstream().pull_subscribe_bind("w", stream="files") for c in clients]

    async def fetch(worker, patience):
        try:
            [message] = await worker.fetch(1, timeout=patience)
            return message
        except TimeoutError:
            return None

    async def after(what, answer):
        """What a third worker gets, and when, after the first one answers and the second one says nothing any more."""
        await js.publish("files", what.encode())
        old = await fetch(first, 5)
        new = await fetch(second, 3 * WAIT)
        assert (old.metadata.num_delivered, new.metadata.num_delivered) == (1, 2)
        begun = time.monotonic()
        await answer(old.reply)
        got = await fetch(third, 4 * WAIT)
        took = time.monotonic() - begun
        left = (await js.stream_info("files")).state.messages
        seen = f"delivery {got.metadata.num_delivered} after {took:.1f} s" if got else f"nothing in {took:.1f} s"
        print(f"{what:44} {seen:24} stream holds {left}")
        await js.purge_stream("files")
        return got, took, left

    async def say(reply, *words):
        for word in words:
            await clients[0].publish(reply, word)
            await clients[0].flush()
            if len(words) > 1:
                await asyncio.sleep(0.5)

    async def silent(_):
        pass

    got, took, _ = await after("the first says nothing", silent)
    assert got and took > WAIT * 0.7
    got, took, _ = await after("the first says NAK", lambda reply: say(reply, b"-NAK"))
    assert got and took < WAIT * 0.5
    got, _, left = await after("the first says NAK, in a minute", lambda reply: say(reply, b'-NAK {"delay": 60000000000}'))
    assert got is None and left == 1
    got, took, _ = await after("the first says for 5 s that it works", lambda reply: say(reply, *[b"+WPI"] * 10))
    assert got and took > 2.5 * WAIT
    for word in (b"+ACK", b"+TERM"):
        got, _, left = await after(f"the first says {word[1:].decode()}", lambda reply: say(reply, word))
        assert got is None and left == 0
    for client in clients:
        await client.close()
    print("seen: each answer to the old delivery counted")

server = subprocess.Popen(["bin/nats-server", "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", "js"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    asyncio.run(main())
finally:
    server.send_signal(signal.SIGTERM)
    server.wait()
PY
venv/bin/python old.py
