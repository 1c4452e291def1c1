#!/usr/bin/env bash
# APScheduler 3.11.3: a job at midnight is not run on the day after the clocks go forward.
#
# One would expect: only what lies in the missing hour is in doubt. The clocks of Berlin go forward on Sunday, 29 March
#   2026, from 02:00 to 03:00; 00:00 of Monday the 30th is 23 hours after 00:00 of Sunday and exists once.
# What happens: `0 0 * * *` fires on the 29th and then on the 31st. In every zone, times from 00:00 to 00:59 lose their run
#   of the day after the change; times from 01:00 on do not. A weekly `0 0 * * mon` goes from 23 March to 6 April: the day
#   after the change is a Monday each year. A monthly `0 0 1 * *` goes from 1 March to 1 May, for the search for 1 April
#   walks over the change and is an hour off behind it. Nothing is logged, and misfire_grace_time plays no part.
# Why it matters: midnight and the first of the month are the commonest times of reports and closings.
# Safely: give the trigger timezone="UTC", or a time from 01:00 on that no change of the zone touches; or compare the runs
#   of a day with another evaluator.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install apscheduler==3.11.3 tzdata==2026.3 cronsim==2.8
venv/bin/python - <<'PY'
import datetime as dt, importlib.metadata as m
from zoneinfo import ZoneInfo
from apscheduler.triggers.cron import CronTrigger
from cronsim import CronSim

print("APScheduler", m.version("apscheduler"), "- witness: cronsim", m.version("cronsim"))

def scheduler(expression, zone, start, end):
    """Fire times as the scheduler asks for them: the next one after each run, a few milliseconds later."""
    trigger, out, last, now = CronTrigger.from_crontab(expression, timezone=zone), [], None, start
    while (t := trigger.get_next_fire_time(last, now)) and t < end:
        out.append(t)
        last, now = t, (t.astimezone(dt.timezone.utc) + dt.timedelta(milliseconds=3)).astimezone(zone)
    return out

def witness(expression, start, end):
    out = []
    for t in CronSim(expression, start):
        if t >= end:
            return out
        out.append(t)

def lost(expression, name, start, end):
    zone = ZoneInfo(name)
    start, end = (dt.datetime.fromisoformat(t).replace(tzinfo=zone) for t in (start, end))
    got, due = (set(t.isoformat() for t in ts)
                for ts in (scheduler(expression, zone, start, end), witness(expression, start, end)))
    assert got <= due
    print(f"{expression:13} {name:17} {len(got)} of {len(due)}, not fired: {', '.join(sorted(due - got)) or 'none'}")
    return sorted(due - got)

assert lost("0 0 * * *", "Europe/Berlin", "2026-03-26 12:00", "2026-04-02 12:00") == ["2026-03-30T00:00:00+02:00"]
assert lost("30 0 * * *", "America/New_York", "2026-03-05 12:00", "2026-03-12 12:00") == ["2026-03-09T00:30:00-04:00"]
assert lost("0 0 * * mon", "Europe/Berlin", "2026-03-16 12:00", "2026-04-13 12:00") == ["2026-03-30T00:00:00+02:00"]
assert lost("0 0 1 * *", "Europe/Berlin", "2026-01-15 12:00", "2027-01-15 12:00") == ["2026-04-01T00:00:00+02:00"]
assert lost("0 1 * * *", "Europe/Berlin", "2026-03-26 12:00", "2026-04-02 12:00") == []
assert lost("0 0 * * *", "UTC", "2026-03-26 12:00", "2026-04-02 12:00") == []
print("seen: midnight behind the change is passed over")
PY
