#!/usr/bin/env bash
# nats-server 2.15.2: after kill -9 a schedule's missed time never comes, or one that was done is done again.
#
# One would expect: a stream's schedules (2.12; cron patterns since 2.14) are as durable as its messages. A time that passed
#   while the server was down is made up for once, as after an orderly stop; one that was run is not run again.
# What happens: the next times are kept in memory and on disk only now and then. The server started after a kill reckons
#   them anew from the schedule's own message, or from the file that the last orderly stop left.
#   missed: due while the server was down. Stopped in order, the run comes at the start. Killed, a cron schedule waits for
#   its next time, a day later here; `@every` counts anew from the start, so kills that come oftener than it never let it
#   run; only `@at` is made up for.
#   done twice: started after an orderly stop, the day's run is made; then a kill. At the start it runs again, and again
#   after each further kill, though its messages lie in the stream with the header Nats-Schedule-Next of tomorrow.
# Why it matters: a node that loses power or memory at night loses the nightly run or doubles it; there is no trace of
#   either but the stream's own messages.
# Safely: take the firing as a hint: put the due time into what is run and let a ledger decide; look at the start whether
#   the last due time was run. An orderly stop (SIGTERM, lame duck) right after a change keeps what is known.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
GOBIN="$work/bin" go install github.com/nats-io/nats-server/v2@v2.15.2
python3 -m venv venv
venv/bin/pip -q install nats-py==2.16.0
venv/bin/python - bin/nats-server <<'PY'
import asyncio, datetime as dt, json, pathlib, socket, subprocess, sys, tempfile
import nats

class Server:
    def __init__(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.store = tempfile.mkdtemp(dir=".")

    async def start(self):
        self.process = subprocess.Popen([sys.argv[1], "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", self.store],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        async def quiet(_):
            pass
        for _ in range(100):
            try:
                self.nc = await nats.connect(f"nats://127.0.0.1:{self.port}", allow_reconnect=False, error_cb=quiet)
                return self
            except OSError:
                await asyncio.sleep(0.1)
            except nats.errors.Error:
                await asyncio.sleep(0.1)
        raise SystemExit("the server did not start")

    async def stop(self, kill):
        await self.nc.close()
        self.process.kill() if kill else self.process.terminate()
        self.process.wait()

    async def create(self):
        config = {"name": "JOBS", "subjects": ["plan.*", "run.*"], "storage": "file", "retention": "limits",
                  "allow_msg_schedules": True, "allow_rollup_hdrs": True}
        answer = json.loads((await self.nc.request("$JS.API.STREAM.CREATE.JOBS", json.dumps(config).encode())).data)
        assert "error" not in answer, answer

    async def plan(self, name, pattern):
        await self.nc.jetstream().publish(f"plan.{name}", b"", headers={"Nats-Schedule": pattern,
                                                                        "Nats-Schedule-Target": f"run.{name}"})

    async def runs(self):
        """What was run: names, and for the daily one the next time that the server wrote beside it."""
        js = self.nc.jetstream()
        state, out, following = (await js.stream_info("JOBS")).state, [], []
        for seq in range(state.first_seq, state.last_seq + 1):
            try:
                m = await js.get_msg("JOBS", seq)
            except nats.js.errors.NotFoundError:
                continue
            if m.subject.startswith("run."):
                out.append(m.subject[4:])
                following.append(m.headers.get("Nats-Schedule-Next"))
        return out, following

def daily(seconds):
    t = (dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds)).replace(microsecond=0)
    return t, f"{t.second} {t.minute} {t.hour} * * *"

async def missed(kill):
    """Three schedules fall due while the server is down; what was run within 3 s of its start."""
    server = await Server().start()
    await server.create()
    due, cron = daily(4)
    await server.plan("daily", cron)
    await server.plan("every", "@every 6s")
    await server.plan("at", f"@at {due:%Y-%m-%dT%H:%M:%SZ}")
    await asyncio.sleep(1)
    assert (await server.runs())[0] == []
    await server.stop(kill)
    await asyncio.sleep(7)
    await server.start()
    await asyncio.sleep(3)
    out = sorted(set((await server.runs())[0]))
    await server.stop(True)
    print(f"missed, after {'kill -9' if kill else 'SIGTERM':7}: run at the start: {', '.join(out)}")
    return out

async def doubled():
    server = await Server().start()
    await server.create()
    due, cron = daily(5)
    await server.plan("daily", cron)
    await server.stop(False)
    await server.start()
    await asyncio.sleep((due - dt.datetime.now(dt.timezone.utc)).total_seconds() + 2)
    counts = []
    for again in range(3):
        out, following = await server.runs()
        counts.append(len(out))
        print(f"daily at {due:%H:%M:%S}, after {again} kills: {len(out)} runs, next ones {following}")
        assert set(following) == {f"{due + dt.timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"}
        await server.stop(True)
        await server.start()
        await asyncio.sleep(2)
    await server.stop(True)
    return counts

async def main():
    print(subprocess.run([sys.argv[1], "--version"], capture_output=True, text=True).stdout.strip())
    orderly, killed, counts = await asyncio.gather(missed(False), missed(True), doubled())
    assert orderly == ["at", "daily", "every"] and killed == ["at"]
    assert counts == [1, 2, 3]
    print("seen: a kill loses the runs that fell due while the server was down, and repeats the one that was done")

asyncio.run(main())
PY
