#!/usr/bin/env bash
# Runs cargo, and says in one sentence what to do when something that it needs is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'partitura: %s\n' "$1" >&2; exit 1; }

command -v cargo >/dev/null ||
    fail "cargo is missing; install Rust 1.95 or newer (rustup is the usual way), then run this again"
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
have=$(rustc --version | awk '{print $2}')
[ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1)" = "$wanted" ] ||
    fail "Rust $wanted or newer is needed, here is $have; run 'rustup update stable', then this again"
command -v cc >/dev/null ||
    fail "a C compiler is missing; install one (Debian: apt install build-essential), then run this again"
if [ "${1:-}" = fmt ] && ! cargo fmt --version >/dev/null 2>&1; then
    fail "rustfmt is missing; run 'rustup component add rustfmt', then this again"
fi

# The first build fills a new target folder; its disk is that of the nearest folder above that exists.
target=${CARGO_TARGET_DIR:-target}
if [ ! -d "$target" ]; then
    above=$target
    while [ ! -d "$above" ]; do above=$(dirname "$above"); done
    free_mib=$(df -Pk "$above" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free_mib" -ge $((12 * 1024)) ] ||
        fail "the first build needs about 12 GiB, and the disk of $above has $free_mib MiB free; free some, or set CARGO_TARGET_DIR to another disk"
fi

status=0
cargo "$@" || status=$?
if [ "$status" -ne 0 ] && [ "$(df -Pk "$target" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }')" -lt 256 ] 2>/dev/null; then
    fail "the disk of $target is full; free some, or set CARGO_TARGET_DIR to another disk, then run this again"
fi
if [ "$status" -ne 0 ] && ! cargo fetch --locked --quiet 2>/dev/null; then
    printf 'partitura: the crate registry cannot be reached; check the network or the proxy settings of cargo, then run this again\n' >&2
fi
exit "$status"
