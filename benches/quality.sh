#!/bin/sh
# Measures search quality on SciFact, Cranfield and LoCoMo: benches/quality.sh [scifact|cranfield|locomo]…
#
# Through the whole engine, from the log to the ranked list, in one process. The data is never part of this
# repository: $PARTITURA_REALDATA names its folder. Embedding takes some minutes; the targets are at the end.
set -eu
cd "$(dirname "$0")/.."
data=${PARTITURA_REALDATA:-}
if [ ! -d "$data/scifact" ] && [ ! -d "$data/locomo" ]; then
    echo "quality: skipped, because PARTITURA_REALDATA does not name a folder that holds scifact, cranfield and locomo"
    exit 0
fi
eval "$(scripts/env.sh)"
# With the whole workspace, because a package alone has other features: all dependencies would be built again.
scripts/cargo.sh build --quiet --workspace --locked --example search_quality
"${CARGO_TARGET_DIR:-target}/debug/examples/search_quality" "$data" "$@"
cat <<'TARGETS'
targets: scifact hybrid nDCG@10 >= 0.70, recall@100 >= 0.95; locomo hybrid recall@10 >= 0.66, recall@50 >= 0.83;
         hybrid at most 0.005 below its better leg; ann recall@10 >= 0.95
TARGETS
