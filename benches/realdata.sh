#!/usr/bin/env bash
# Imports real data with the mappings that ship inside and compares what SQL says with the files themselves.
# Skipped where the data is absent: PARTITURA_REALDATA (default ../shared/data) is not part of the repository.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 benches/realdata/check.py "$@"
