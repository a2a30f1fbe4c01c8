#!/usr/bin/env bash
# Everything that proves the project: formatting, the rules of the house, lints, every test. No other step.
set -euo pipefail
cd "$(dirname "$0")/.."
eval "$(scripts/env.sh)"

started=$SECONDS
step() { printf '\n== %s (%d min %02d s)\n' "$1" $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)); }

step "1 of 5: formatting"
scripts/cargo.sh fmt --all --check
step "2 of 5: rules of the house"
scripts/cargo.sh run --package xtask -- tidy
step "3 of 5: build; cold about half an hour on two cores, warm a minute or two"
scripts/cargo.sh test --workspace --no-run --locked
step "4 of 5: lints; cold about six minutes, warm one"
scripts/cargo.sh clippy --workspace --all-targets --locked -- -D warnings
step "5 of 5: tests"
scripts/cargo.sh test --workspace --locked --no-fail-fast
step "all tests pass"
