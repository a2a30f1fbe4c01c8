#!/usr/bin/env bash
# Serves a simulated history of 90 days and six agents; writes it first when it is not there yet.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(scripts/env.sh)"

data=${PARTITURA_DEMO_DATA:-partitura-demo}
http=${PARTITURA_HTTP:-127.0.0.1:7070}
bin=${CARGO_TARGET_DIR:-target}/debug/partitura
url=http://$http
state=$data/.demo # `begun` while the history is written, then `whole`

fail() { printf 'partitura: %s\n' "$1" >&2; exit 1; }

if (exec 3<>"/dev/tcp/${http%:*}/${http##*:}") 2>/dev/null; then
    fail "$http is in use; stop what listens there, or choose another address: PARTITURA_HTTP=127.0.0.1:7171 make demo"
fi
# Only what this script made is ever removed.
if [ "$(cat "$state" 2>/dev/null)" = begun ]; then
    rm -rf "$data"
elif [ ! -f "$state" ] && [ -n "$(ls -A "$data" 2>/dev/null)" ]; then
    fail "$data holds something else than the demo; name another folder: PARTITURA_DEMO_DATA=… make demo"
fi
if [ ! -f "$state" ]; then
    mkdir -p "$data" 2>/dev/null || fail "$data cannot be made; name another folder: PARTITURA_DEMO_DATA=… make demo"
    free_mib=$(df -Pk "$data" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free_mib" -ge 1024 ] ||
        fail "the demo needs about 1 GiB, and the disk of $data has $free_mib MiB free; free some, or set PARTITURA_DEMO_DATA"
    echo begun >"$state"
fi

exec 3< <(exec "$bin" serve --data "$data" --http "$http" --log warn)
server=$!
stop() {
    trap '' INT TERM
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
}
trap 'stop; printf "\nstopped; make demo starts it again in seconds\n"; exit 0' INT TERM
trap stop EXIT
# The server says one line when it answers; when it cannot start it says why, and the line never comes.
read -r _ <&3 || exit 1

if [ "$(cat "$state")" = begun ]; then
    started=$SECONDS
    echo "writing 90 days of six agents at work (once)…"
    "$bin" simulate --days 90 --agents 6 --seed 7 --url "$url" --truth "$data/ground-truth.json" --format table
    echo whole >"$state"
    echo "written in $((SECONDS - started)) s; what is true of these agents is in $data/ground-truth.json"
fi
cat <<TEXT

Partitura serves the history of six agents on $url
  health    $url/readyz
  API       $url/openapi.json
  tables    $url/v1/tables
  metrics   $url/metrics

Five things to try in another terminal:

  curl -s $url/v1/sql?format=pretty -d "SELECT agent_id, count(*) AS attempts, round(avg(CASE WHEN verdict = 'accepted' THEN 1.0 ELSE 0.0 END), 3) AS accepted FROM attempts GROUP BY agent_id ORDER BY accepted DESC"

  curl -s $url/v1/search -H 'content-type: application/json' -d '{"query":"connection pool exhausted after deploy","limit":3}'

  curl -s $url/v1/events -H 'content-type: application/json' -d '{"type":"knowledge.noted","source":"me","id":"note-1","data":{"knowledge_id":"note-1","text":"The staging database is reset every Monday."}}'

  $bin sql --url $url "SELECT task_type, agent_id, cost_per_accepted, currency FROM cost_per_accepted ORDER BY task_type, cost_per_accepted LIMIT 12"

  $bin search --url $url "when is staging reset?"

Ctrl-C stops the server.
TEXT
wait "$server" || fail "the server ended by itself; the lines above say why"
