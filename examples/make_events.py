"""Makes events.jsonl and events_flat.jsonl: 2,000 made-up events each, the same at each run.

Among them are events that come twice, late ones, orphans whose parent comes later or never, and events that can be no row.
"""
import json, random
from datetime import datetime, timedelta, timezone

rng = random.Random(20260101)
START = datetime(2026, 1, 5, 8, 0, tzinfo=timezone.utc)
FIRST = ["Ada", "Ben", "Chloé", "Dmitri", "Eun-ji", "Fatou", "Gül", "Hiro", "Inés", "Jürgen"]
LAST = ["Abara", "Brandt", "Castro", "Dubois", "Eriksen", "Fontaine", "Garcia", "Haddad", "Ito", "Jansen"]


def stamp(at):
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def events():
    """Type, data and time of each event, in the order of the file."""
    made, users, orders, at = [], [], [], START
    for number in range(1900):
        at += timedelta(milliseconds=rng.randint(200, 4000))
        choice = rng.random()
        if choice < 0.25 or len(users) < 5:
            user = f"u-{len(users) + 1:04}"
            users.append(user)
            name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
            data = {"userId": user, "name": name, "createdAt": stamp(at)}
            if rng.random() < 0.9:
                data["email"] = f"{user}@mail.example"
            made.append(("UserCreated", data, at))
        elif choice < 0.60 or len(orders) < 5:
            order = f"o-{len(orders) + 1:05}"
            orders.append(order)
            data = {"orderId": order, "userId": rng.choice(users), "amount": f"{rng.randint(100, 999_999) / 100:.2f}"}
            made.append(("OrderPlaced", data, at))
        elif choice < 0.80:
            data = {
                "orderId": rng.choice(orders),
                "paymentId": f"p-{number:05}",
                "amount": round(rng.randint(100, 999_999) / 100, 2),
                "method": rng.choice(["card", "transfer", "direct debit"]),
            }
            made.append(("PaymentSettled", data, at))
        else:
            data = {"sku": f"sku-{rng.randint(1, 40):03}", "quantityChange": rng.choice([-3, -2, -1, 1, 5, 10, 25])}
            made.append(("InventoryAdjusted", data, at))
    # A parent that comes after its child: this user's event moves ten events back.
    late = next(index for index, event in enumerate(made) if event[0] == "OrderPlaced" and index > 300)
    user = "u-9001"
    made[late][1]["userId"] = user
    made.insert(late + 10, ("UserCreated", {"userId": user, "name": "Late Comer", "createdAt": stamp(made[late][2])}, made[late][2]))
    return made


def bad(number):
    """What cannot be a row: type, data, and changes of the envelope."""
    at = START + timedelta(minutes=number)
    order = {"orderId": f"o-bad-{number}", "userId": "u-0001", "amount": "10.00"}
    return [
        ("OrderPlaced", order | {"amount": "10.005"}, at),
        ("OrderPlaced", order | {"amount": "ten"}, at),
        ("OrderPlaced", {"orderId": f"o-bad-{number}", "amount": "1.00"}, at),
        ("UserCreated", {"userId": f"u-{'x' * 80}", "name": "Too Long", "createdAt": stamp(at)}, at),
        ("UserCreated", {"userId": f"u-bad-{number}", "name": "No\u0000Name", "createdAt": stamp(at)}, at),
        ("UserCreated", {"userId": f"u-bad-{number}", "name": "No Zone", "createdAt": "2026-01-05T08:00:00"}, at),
        ("OrderCancelled", {"orderId": f"o-{number:05}"}, at),
        ("InventoryAdjusted", {"sku": "sku-001", "quantityChange": 9223372036854775808}, at),
    ][number % 8]


def lines(form):
    made = events()
    rows = [json.dumps(form(f"e-{index:05}", *event), ensure_ascii=False) for index, event in enumerate(made)]
    # An orphan whose order never comes.
    at = START + timedelta(hours=1)
    rows.insert(700, json.dumps(form("e-orphan-1", "PaymentSettled", {"orderId": "o-none", "paymentId": "p-none", "amount": 1.5, "method": "card"}, at)))
    for index in range(16):
        rows.insert(100 * index + 50, json.dumps(form(f"e-bad-{index:02}", *bad(index))))
    rows.insert(400, '{"eventId": "e-broken", "type": ')
    # Late events: each older than what its row has by then.
    placed = [index for index, event in enumerate(made) if event[0] == "OrderPlaced"][5:25]
    for index in placed:
        kind, data, at = made[index]
        rows.append(json.dumps(form(f"e-old-{index:05}", kind, data | {"amount": "1.00"}, at - timedelta(hours=1))))
    # The rest comes twice.
    rng.seed(7)
    while len(rows) < 2000:
        at = rng.randrange(60, len(rows) - 5)
        if "e-broken" not in rows[at] and "e-orphan" not in rows[at]:
            rows.insert(at + rng.randint(1, 4), rows[at])
    return rows


def nested(event_id, kind, data, at):
    return {"eventId": event_id, "type": kind, "timestamp": stamp(at), "data": data}


def flat(event_id, kind, data, at):
    return {"eventId": event_id, "eventType": f"{kind}Event", **data, "timestamp": stamp(at)}


for name, form in (("events.jsonl", nested), ("events_flat.jsonl", flat)):
    with open(name, "w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{line}\n" for line in lines(form))
