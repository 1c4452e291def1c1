#!/bin/sh
# The four files, one after the other: psql_four.sh URL.
set -eu
psql -q "$1" <<'SQL'
\copy (SELECT * FROM v_flights ORDER BY id) TO 'wide.csv' (FORMAT csv)
\copy (SELECT id, carrier, tailnum, time_hour FROM v_flights ORDER BY id) TO 'pipe.txt' (FORMAT csv, DELIMITER '|')
\copy (SELECT lpad(id::text, 10, '0') || year || lpad(month::text, 2, '0') || lpad(day::text, 2, '0') || rpad(carrier, 2) || lpad(flight::text, 5) || rpad(origin, 3) || rpad(dest, 3) FROM v_flights ORDER BY id) TO 'fixed.dat'
\copy (SELECT json_build_object('id', id, 'carrier', carrier, 'flight', flight, 'tailnum', tailnum, 'distance', distance, 'time_hour', time_hour) FROM v_flights ORDER BY id) TO 'lines.jsonl'
SQL
