#!/usr/bin/env bash
# Whether the library and its programs compile for every machine that a release is made for: `cargo check`, which needs no linker.
# Minutes a target; the standard library of each is installed where it is missing.
#
# Usage: scripts/cross-check.sh [TARGET...]    # those of .github/workflows/release.yml by default
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t targets < <(sed -n 's/.*{ target: \([^,]*\),.*/\1/p' .github/workflows/release.yml)
[ $# -eq 0 ] || targets=("$@")
for target in "${targets[@]}"; do
    rustup target add "$target"
    RUSTFLAGS="-D warnings" cargo check --locked --target "$target"
done
