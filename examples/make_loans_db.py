#!/usr/bin/env python3
"""Makes examples/loans.db from openintro's loans_full_schema.csv (or .csv.gz). Python's own library only.

    examples/make_loans_db.py loans_full_schema.csv.gz [loans.db]

The same input gives the same rows. README.md beside this file says where the data are from and what is changed.
"""

import csv
import gzip
import os
import sqlite3
import sys
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

# SQLite keeps a DECIMAL as an integer or a double. Up to 15 digits, the shortest text of that double is the
# decimal itself, so the amounts below read back exactly.
SCHEMA = """
CREATE TABLE Loan (
    LoanId           INTEGER PRIMARY KEY,
    CustomerId       INTEGER       NOT NULL UNIQUE,
    Amount           DECIMAL(15,2) NOT NULL,
    Balance          DECIMAL(15,2) NOT NULL,
    Installment      DECIMAL(15,2) NOT NULL,
    PaidTotal        DECIMAL(15,2) NOT NULL,
    InterestRate     DECIMAL(7,4)  NOT NULL,
    TermMonths       SMALLINT      NOT NULL,
    StartDate        DATE          NOT NULL,
    Status           VARCHAR(20)   NOT NULL,
    Grade            CHAR(1)       NOT NULL,
    Purpose          VARCHAR(20)   NOT NULL,
    ApplicationType  VARCHAR(10)   NOT NULL,
    State            CHAR(2)       NOT NULL,
    HomeOwnership    VARCHAR(10)   NOT NULL,
    AnnualIncome     DECIMAL(15,2) NOT NULL,
    DebtToIncome     DECIMAL(9,2),
    JobTitle         VARCHAR(60)
);
CREATE VIEW v_LoanData AS
SELECT LoanId, CustomerId, Amount, Balance, Installment, PaidTotal, InterestRate, TermMonths, StartDate, Status,
       Grade, Purpose, ApplicationType, State, HomeOwnership, AnnualIncome, DebtToIncome, JobTitle
FROM Loan;
"""

CENT = Decimal("0.01")


def money(text):
    """A double that reads back as the text's value rounded to cents; none for an empty text."""
    return float(Decimal(text).quantize(CENT, ROUND_HALF_UP)) if text else None


def loan(row):
    """One row of the table from one of the file."""
    number = int(row["rownames"])
    return (
        number,
        # The data name no customer. 10,007 is a prime, so these made-up numbers are unique.
        700_000 + number * 7_919 % 10_007,
        money(row["loan_amount"]),
        money(row["balance"]),
        money(row["installment"]),
        money(row["paid_total"]),
        float(row["interest_rate"]),
        int(row["term"]),
        datetime.strptime(row["issue_month"], "%b-%Y").date().isoformat(),
        row["loan_status"],
        row["grade"],
        row["loan_purpose"],
        row["application_type"],
        row["state"],
        row["homeownership"],
        money(row["annual_income"]),
        money(row["debt_to_income"]),
        row["emp_title"].strip() or None,
    )


def main(source, target):
    opener = gzip.open if source.endswith(".gz") else open
    with opener(source, "rt", encoding="utf-8", newline="") as lines:
        loans = [loan(row) for row in csv.DictReader(lines)]
    if os.path.exists(target):
        os.remove(target)
    database = sqlite3.connect(target)
    database.executescript(SCHEMA)
    columns = ", ".join("?" * len(loans[0]))
    with database:
        database.executemany(f"INSERT INTO Loan VALUES ({columns})", loans)
    database.execute("VACUUM")
    database.close()
    print(f"{target}: {len(loans)} loans, {os.path.getsize(target)} bytes")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else os.path.join(os.path.dirname(__file__), "loans.db"))
