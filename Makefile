# Partitura: `make demo` shows it, `make test` proves it. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo demo-clean setup build test lint fmt docs bench quality realdata release

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: build ## build, write a simulated history, serve it on 127.0.0.1:7070
	@scripts/demo.sh

demo-clean: ## forget the data of the demo
	@if [ -f partitura-demo/.demo ]; then rm -rf partitura-demo; fi

setup: ## install what the build and the models need, into a cache folder of the user
	@scripts/setup.sh all

build: setup
	@eval "$$(scripts/env.sh)" && scripts/cargo.sh build --workspace --bin partitura

test: setup ## everything that proves the project
	@scripts/setup.sh clients
	@scripts/test.sh

lint: setup ## clippy with warnings as errors (a part of make test)
	@eval "$$(scripts/env.sh)" && scripts/cargo.sh clippy --workspace --all-targets -- -D warnings

fmt: ## format every Rust file
	cargo fmt --all

docs: setup ## write the generated pages of docs/reference anew
	@eval "$$(scripts/env.sh)" && scripts/cargo.sh xtask docs

release: setup ## the binary as it is shipped: target/release/partitura
	@eval "$$(scripts/env.sh)" && scripts/cargo.sh build --workspace --release --bin partitura

bench: setup ## speed, side by side with the peers, half an hour; PARTS="sql search" runs some; see benches/README.md
	@benches/run.sh $(PARTS)

quality: build ## search quality on real collections (skipped where they are absent)
	@eval "$$(scripts/env.sh)" && benches/quality.sh

realdata: build ## imports of real data checked against another tool (skipped where absent)
	@eval "$$(scripts/env.sh)" && benches/realdata.sh
