#!/usr/bin/env bash
# Speed side by side with the peers, in one run: benches/run.sh [append|lag|tiny|embed|rebuild|search|sql|state|restart|otlp|doors]…
#
# Results and the report are in benches/results (report.md); a full run takes about half an hour on two cores.
#
#   BENCH_SCALE=0.01   shrinks every size: a smoke test of the scripts, no measurement
#   BENCH_SECONDS=10   length of each load that runs for a time
#   BENCH_DIR=/path    a folder on the disk to measure (default: the system's temporary folder)
#   BENCH_BIN=/path    folder with partitura and partitura-load (default: built here, in the release profile)
#   BENCH_PROFILE=name what the report calls their profile (default: the folder's name)
#   BENCH_KEEP=1       keeps the data folders
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(scripts/env.sh)"

cache=${PARTITURA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/partitura}
venv=$cache/bench-venv
# The same ONNX Runtime that the server loads, so that the two differ in nothing but us.
runtime=$(cat "$cache/onnxruntime/.version" 2>/dev/null || echo 1.31.1)
peers=(duckdb datafusion lancedb pyarrow numpy tokenizers umadb "onnxruntime==$runtime")
# What the parts `otlp` and `doors` speak with; Phoenix and MLflow get environments of their own.
peers+=(opentelemetry-proto grpcio adbc-driver-flightsql adbc-driver-manager psycopg psycopg-binary asyncpg)

say() { printf 'run.sh: %s\n' "$1" >&2; }

if [ -z "${BENCH_BIN:-}" ]; then
    scripts/cargo.sh build --workspace --release --locked --bin partitura --bin partitura-load
    BENCH_BIN=${CARGO_TARGET_DIR:-target}/release
fi
BENCH_BIN=$(cd "$BENCH_BIN" && pwd)
for program in partitura partitura-load; do
    [ -x "$BENCH_BIN/$program" ] || { say "$BENCH_BIN has no $program"; exit 1; }
done

[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
for peer in "${peers[@]}"; do
    # One by one: a peer that cannot be had is left out, and the report says so.
    "$venv/bin/pip" install --quiet --disable-pip-version-check "$peer" || say "$peer cannot be installed; its part runs without it"
done
if ! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing PostgreSQL"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql; } >/dev/null 2>&1 || true
    fi
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || say "PostgreSQL is not installed (Debian: apt install postgresql); its lines are left out"
fi

export BENCH_BIN
PYTHONPATH=benches exec "$venv/bin/python" -m speed "$@"
