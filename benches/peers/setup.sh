# Sourced by run and pages: what both need. Everything is installed from the tools' own registries, into target/peers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PEERS="$PWD/target/peers"
mkdir -p "$PEERS"

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

# debian PACKAGE COMMAND: installs the package where the command is missing.
debian() {
  command -v "$2" >/dev/null || ls /usr/lib/postgresql/*/bin/"$2" >/dev/null 2>&1 || {
    echo "installing $1" >&2
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
  }
}

debian sqlite3 sqlite3
debian time /usr/bin/time
if [ -z "${FILEGEN:-}" ]; then
  cargo build --locked --release --quiet
  FILEGEN="$PWD/target/release/filegen"
fi
export FILEGEN PEERS

# The flights: FLIGHTS_DB, or made from FLIGHTS_CSV, or made up.
FLIGHTS_DB="${FLIGHTS_DB:-$PEERS/flights.db}"
[ -e "$FLIGHTS_DB" ] || python3 benches/peers/flights.py "$FLIGHTS_DB" "${FLIGHTS_CSV:-benches/data/flights.csv.gz}"
export FLIGHTS_DB
