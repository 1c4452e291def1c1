"""Makes the golden files with Python's own csv, json and codecs: an implementation that shares nothing with ours."""
import csv
import io
import json
import os
from decimal import ROUND_HALF_UP, Decimal

HERE = os.path.dirname(os.path.abspath(__file__))

# (LoanId, Status, Amount decimal(15,2), Rate float, StartDate, Note)
LOANS = [
    (1, "Current", "28000.00", 14.07, "2018-03-01", "plain"),
    (2, "Fully Paid", "-5000.05", 12.61, "1582-10-04", 'says "no", twice'),
    (3, "", "0.00", 0.1, "0987-01-01", "Zoë, Malmö"),
    (9223372036854775807, None, None, None, None, None),
    (-5, "In|Grace", "9999999999999.99", 517.0, "9999-12-31", "two\nlines"),
]


def write(name, data):
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(data)


def csv_field(value):
    return "" if value is None else str(value)


def minimal():
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["LoanId", "Status", "Amount", "Rate", "StartDate", "Note"])
    for row in LOANS:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([csv_field(v) for v in row])
        # Python writes an empty text as nothing; ours tells it from NULL.
        text = line.getvalue()
        if row[1] == "":
            text = text.replace(",,", ',"",', 1)
        out.write(text)
    return out.getvalue().encode()


def fixed():
    lines = []
    for loan, status, amount, _, date, note in LOANS:
        number = "" if amount is None else str(Decimal(amount).quantize(Decimal("0.1"), ROUND_HALF_UP))
        if amount is not None:
            sign = "-" if number.startswith("-") else ""
            number = sign + number.lstrip("-").rjust(18 - len(sign), "0")
        lines.append(
            str(loan).rjust(20)
            + (status or "").ljust(10)
            + (number or " " * 18)
            + (date or "").replace("-", "").ljust(8)
            + "USD"
            + (note or "").replace("\n", " ").ljust(16)
        )
    return "".join(line + "\r\n" for line in lines).encode("cp037")


def json_lines():
    lines = []
    for loan, status, amount, rate, date, note in LOANS:
        # A decimal is written digit by digit.
        text = json.dumps(
            {"id": loan, "loan": {"status": status, "amount": "@", "rate": rate}, "seen": [date, note], "unit": "USD"},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        lines.append(text.replace('"@"', amount or "null"))
    return "".join(line + "\n" for line in lines).encode()


def template():
    lines = [f"{loan}:{(status or '').upper()}:{amount or ''}" for loan, status, amount, *_ in LOANS]
    return "".join(line + "\n" for line in lines).encode()


write("minimal.csv", minimal())
write("fixed.cp037", fixed())
write("lines.jsonl", json_lines())
write("template.txt", template())
