#!/bin/sh
# The four files, one after the other: sqlite_four.sh DATABASE.
set -eu
sqlite3 -readonly -csv "$1" "SELECT * FROM v_flights ORDER BY id" > wide.csv
sqlite3 -readonly -separator '|' "$1" "SELECT id, carrier, tailnum, time_hour FROM v_flights ORDER BY id" > pipe.txt
sqlite3 -readonly "$1" "SELECT printf('%010d%4d%02d%02d%-2s%5d%-3s%-3s', id, year, month, day, carrier, flight, origin, dest)
  FROM v_flights ORDER BY id" > fixed.dat
sqlite3 -readonly "$1" "SELECT json_object('id', id, 'carrier', carrier, 'flight', flight, 'tailnum', tailnum, 'distance', distance,
  'time_hour', time_hour) FROM v_flights ORDER BY id" > lines.jsonl
