#!/usr/bin/env bash
# Feeds a parser bytes of a fuzzer's making: scripts/fuzz.sh TARGET [RUNS [SECONDS]], with TARGET one of optimizer_spec,
# config, gridworld, metrics, checkpoint. Stops at the first panic, at an input that takes more than 10 seconds, and at 256 MiB of
# memory. Needs a nightly toolchain and cargo-fuzz:
#   rustup toolchain install nightly && cargo install --locked cargo-fuzz@0.13.2
set -euo pipefail
cd "$(dirname "$0")/.."
longest=512
[ "$1" = checkpoint ] && longest=16384
target=$1 runs=${2:-10000000} seconds=${3:-0}
# The versions that are shipped are those that are fuzzed.
cp Cargo.lock fuzz/Cargo.lock
dictionary=fuzz/$target.dict
[ -f "$dictionary" ] && set -- -dict="$dictionary" || set --
# What the fuzzer finds new goes to the first folder; the seeds in the second stay as they are. No sanitizer: there is no
# `unsafe` behind these targets, and the memory counted is then the parser's own.
mkdir -p "fuzz/artifacts/$target.corpus"
cargo +nightly fuzz run --sanitizer none "$target" "fuzz/artifacts/$target.corpus" "fuzz/corpus/$target" -- \
    -runs="$runs" -max_total_time="$seconds" -max_len="$longest" -timeout=10 -rss_limit_mb=256 -print_final_stats=1 "$@"
