#!/usr/bin/env bash
# ThreadSanitizer over the tests that run on several threads, standard library and all. Needs a nightly toolchain:
#   rustup toolchain install nightly --component rust-src
set -euo pipefail
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/host: //p')
# A folder of its own: nothing built with the sanitizer links with what was built without.
export RUSTFLAGS="-Zsanitizer=thread" CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/tsan
cargo +nightly test -Zbuild-std --target "$host" --release --lib --test determinism -- "$@"
