#!/bin/sh
# Prints the environment of build and run, as `export` lines: eval "$(scripts/env.sh)". Installs nothing.
set -eu
cache=${PARTITURA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/partitura}
[ -x "$cache/protoc/bin/protoc" ] && : "${PROTOC:=$cache/protoc/bin/protoc}"
[ -d "$cache/protoc/include" ] && : "${PROTOC_INCLUDE:=$cache/protoc/include}"
: "${ORT_DYLIB_PATH:=$cache/onnxruntime/libonnxruntime.so}"
: "${PARTITURA_MODEL_DIR:=$cache/models/all-MiniLM-L6-v2}"
[ -x "$cache/cargo-deny/cargo-deny" ] && : "${CARGO_DENY:=$cache/cargo-deny/cargo-deny}"
for client in CLIENT FLIGHT LANGFUSE3 LANGFUSE4 LANGFUSE5 LIVE MCP OPENAI_AGENTS OTLP OTLP_FRAMEWORKS OTLP_SDKS OUT PG PHOENIX; do
    folder=$cache/clients/$(printf %s "$client" | tr 'A-Z_' 'a-z-')
    [ ! -x "$folder/bin/python" ] || eval ": \"\${PARTITURA_${client}_PYTHON:=$folder/bin/python}\""
    [ ! -d "$folder-js/node_modules" ] || eval ": \"\${PARTITURA_${client}_NODE:=$folder-js}\""
    clients="${clients:-} PARTITURA_${client}_PYTHON PARTITURA_${client}_NODE"
done
for name in CARGO_DENY PROTOC PROTOC_INCLUDE ORT_DYLIB_PATH PARTITURA_MODEL_DIR $clients; do
    eval "value=\${$name:-}"
    [ -z "$value" ] || printf "export %s='%s'\n" "$name" "$value"
done
