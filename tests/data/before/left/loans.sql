CREATE TABLE loans (
    LoanId INTEGER PRIMARY KEY, Name TEXT, Amount DECIMAL(12,2), Rate DECIMAL(7,5), Fee DECIMAL(20,6), StartDate DATE,
    ChangedAt TIMESTAMPTZ, IsLate BOOLEAN);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
INSERT INTO loans SELECT
    i * 7,
    CASE WHEN i % 11 = 0 THEN NULL WHEN i % 13 = 0 THEN '' ELSE 'Name ' || i || ' Łódź' END,
    CASE WHEN i % 17 = 0 THEN NULL ELSE printf('%d.%02d', i * 31 - 900, i % 100) END,
    CASE WHEN i % 5 = 0 THEN NULL ELSE printf('0.%05d', i * 37) END,
    i * 98765.4321 + 1e11,
    CASE WHEN i % 19 = 0 THEN NULL ELSE date('2024-01-01', '+' || i || ' days') END,
    printf('2026-11-%02dT%02d:30:00.%03d+01:00', 1 + i % 28, i % 24, i),
    i % 3 = 0
FROM n;
CREATE VIEW v_LoanData AS SELECT * FROM loans;
