#!/usr/bin/env bash
# confluent-kafka 2.16.1: a record without a value counts as false, so the commonest poll loop takes it for "nothing came".
#
# One would expect: poll() returns None when nothing came and a Message when something did, so `if not msg: continue` and
#   `while msg := consumer.poll(1)` say what they seem to say.
# What happens: a Message has the length of its value, and Python takes what has no length for false. A tombstone (value
#   None) and an empty value are passed over without a word, and committed with the records behind them; the `while` loop
#   ends at the first one, with the rest of the topic unread. With `is None` all records come.
# Why it matters: tombstones are how a compacted topic says "deleted": rows stay for good that the source has dropped.
#   Tests that send values only never show it.
# Safely: compare with None, always: `if msg is None: continue`.
# It needs no broker: librdkafka brings a mock of one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install confluent-kafka==2.16.1
venv/bin/python - <<'PY'
import time
import confluent_kafka as ck

quiet = {"log_level": 0}
producer = ck.Producer(quiet | {"bootstrap.servers": "mock:1", "test.mock.num.brokers": 1})
broker = next(iter(producer.list_topics(timeout=10).brokers.values()))
brokers = f"{broker.host}:{broker.port}"
sent = [("customer-1", b"Anna"), ("customer-2", b"Bert"), ("customer-1", None), ("customer-3", b""), ("customer-4", b"Dora")]
for key, value in sent:
    producer.produce("customers", value, key, partition=0)
assert producer.flush(30) == 0
print("confluent-kafka", ck.__version__, "librdkafka", ck.libversion()[0], "- sent:", sent)

def consumer(group):
    c = ck.Consumer(quiet | {"bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest",
                             "enable.auto.commit": False})
    c.assign([ck.TopicPartition("customers", 0, 0)])
    until = time.time() + 20
    while (first := c.poll(1)) is None and time.time() < until:
        pass
    assert first.key() == b"customer-1" and first.value() == b"Anna"     # fetched: from here on nothing waits for the network
    return c

def rest(c, come):
    """The records behind the first, until the end or 15 s are over."""
    got, until = [], time.time() + 15
    while time.time() < until and c.position([ck.TopicPartition("customers", 0)])[0].offset < len(sent):
        msg = c.poll(1)
        if not come(msg):
            continue
        got.append((msg.key().decode(), msg.value()))
        c.commit(msg, asynchronous=False)
    return got

with_none = rest(consumer("with-none"), lambda msg: msg is not None)
print("if msg is None: continue   ->", with_none)
assert with_none == sent[1:]
c = consumer("with-not")
with_not = rest(c, bool)
at = c.committed([ck.TopicPartition("customers", 0)], timeout=10)[0].offset
print("if not msg: continue       ->", with_not, "- committed offset", at)
assert with_not == [sent[1], sent[4]] and at == len(sent)
c, in_while = consumer("in-while"), []
while msg := c.poll(5):
    in_while.append((msg.key().decode(), msg.value()))
print("while msg := c.poll(5)     ->", in_while)
assert in_while == sent[1:2]
print("seen: tombstones and empty values are taken for nothing")
PY
