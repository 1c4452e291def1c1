#!/usr/bin/env bash
# nats-server 2.15.2: where clocks go forward at midnight, a weekly or monthly schedule behind that day is passed over.
#
# One would expect: a cron schedule with Nats-Schedule-Time-Zone fires at its local time; the clock change of another day
#   plays no part.
# What happens: the server looks for the day by walking from midnight to midnight. On a day that has no midnight it comes
#   to stand at 23:00 of the day before and then at 23:00 of each day; of the day that it looks for, all but the last hour
#   is behind it, so it goes on to the next week or month. Daily schedules are not touched. The clocks of Santiago, Cairo,
#   Beirut, Havana and the Azores go forward at midnight: `0 0 3 1 * *` in the Azores goes from 1 March to 1 May 2026,
#   `0 0 0 * * 1` in Cairo loses Monday, 27 April.
# How it is shown: on a running server with zones made for the moment (Go's ZONEINFO). In both it is 23:59 and 50 seconds,
#   and three schedules are due at midnight. In one of them the clocks went forward last midnight, in the other they did
#   not. The header Nats-Schedule-Next of a run tells that the server knows both zones.
# Why it matters: the first of the month and Monday are when periods are closed; nothing is logged.
# Safely: leave the zone out (UTC), or schedule daily and look at the date in what is run.
set -euo pipefail
work=$(mktemp -d)
pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; wait "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
cd "$work"
GOBIN="$work/bin" go install github.com/nats-io/nats-server/v2@v2.15.2
python3 -m venv venv
venv/bin/pip -q install nats-py==2.16.0
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p zones/Test
bin/nats-server --version
ZONEINFO="$work/zones" bin/nats-server -a 127.0.0.1 -p "$port" -js -sd "$work/store" > nats.log 2>&1 &
pids+=($!)
venv/bin/python - "$port" <<'PY'
import asyncio, datetime as dt, json, pathlib, struct, sys, time
import nats

def zone_file(name, change, before, after):
    """A compiled zone (TZif 2) with one change of its offset."""
    names = b"AAA\0BBB\0"
    types = struct.pack(">lbB", before, 0, 0) + struct.pack(">lbB", after, int(after != before), 4)
    def block(width):
        return (b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 2, 2, len(names))
                + struct.pack(f">2{width}", change - 30 * 86400, change) + b"\0\1" + types + names)
    pathlib.Path("zones/Test", name).write_bytes(block("l") + block("q") + b"\n\n")

async def main():
    url = f"nats://127.0.0.1:{sys.argv[1]}"
    for _ in range(100):
        try:
            nc = await nats.connect(url, allow_reconnect=False)
            break
        except (OSError, nats.errors.Error):
            await asyncio.sleep(0.1)
    js = nc.jetstream()
    due = int(time.time()) + 10
    offset = -due % 86400                        # local midnight is at `due`
    offset -= 86400 * (offset > 43200)
    last_midnight = due - 86400 + 3600           # 00:00 of standard time, when it becomes 01:00
    zone_file("Forward", last_midnight, offset - 3600, offset)
    zone_file("Still", last_midnight, offset, offset)
    config = {"name": "JOBS", "subjects": ["plan.*", "run.*"], "allow_msg_schedules": True, "allow_rollup_hdrs": True}
    answer = json.loads((await nc.request("$JS.API.STREAM.CREATE.JOBS", json.dumps(config).encode())).data)
    assert "error" not in answer, answer
    day = dt.datetime.fromtimestamp(due + offset, dt.timezone.utc)
    assert (day.hour, day.minute, day.second) == (0, 0, 0)
    patterns = {"daily": "0 0 0 * * *", "weekly": f"0 0 0 * * {day.isoweekday() % 7}", "monthly": f"0 0 0 {day.day} * *"}
    for zone in ("Still", "Forward"):
        for name, pattern in patterns.items():
            await js.publish(f"plan.{zone}-{name}", b"", headers={
                "Nats-Schedule": pattern, "Nats-Schedule-Target": f"run.{zone}-{name}", "Nats-Schedule-Time-Zone": f"Test/{zone}"})
    await asyncio.sleep(due - time.time() + 4)
    runs = {}
    for zone in ("Still", "Forward"):
        for name, pattern in patterns.items():
            try:
                m = await js.get_last_msg("JOBS", f"run.{zone}-{name}")
                runs[zone, name] = m.headers["Nats-Schedule-Next"]
            except nats.js.errors.NotFoundError:
                runs[zone, name] = None
            print(f"zone {zone:7} {pattern:14} " + (f"run, next {runs[zone, name]}" if runs[zone, name] else "not run"))
    await nc.close()
    assert all(runs["Still", name] for name in patterns) and runs["Forward", "daily"] == runs["Still", "daily"]
    assert runs["Forward", "weekly"] is None and runs["Forward", "monthly"] is None
    print("seen: behind a day without midnight the weekly and the monthly schedule are not run")

asyncio.run(main())
PY
