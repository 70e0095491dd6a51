#!/bin/sh
# peers.sh - builds the peers that are no Debian packages into $B/bench-peers: JSONata (npm), Vector's remap language (cargo), CEL (go). What cannot be had is
# said and left out. Bloblang's module could not be had through the Go module proxy when this was written; it is skipped like anything else that is not there.
set -u
cd "$(dirname "$0")" || exit 1
out=${B:?set B to the build directory}/bench-peers
mkdir -p "$out"
have() { command -v "$1" >/dev/null 2>&1 || { echo "peers: no $1 on this machine: $2 is skipped"; return 1; }; }
said() { echo "peers: $1 could not be built: skipped"; }
have npm JSONata && { npm install --silent --no-audit --no-fund --prefix "$out" jsonata@2 >/dev/null || said JSONata; }
have cargo VRL && { cargo build --quiet --release --manifest-path vrl/Cargo.toml --target-dir "$out/vrl-target" && cp "$out/vrl-target/release/vrl-map" "$out/vrl" || said VRL; }
have go CEL && { (cd cel && go build -o "$out/cel" .) || said CEL; }
