#!/usr/bin/env bash
#
# Everything of the `cuda` feature, on a machine with an NVIDIA GPU and without.
#
# Usage: scripts/cuda.sh check    # before a release, with or without a GPU: all targets, warnings denied, and what is built links
#        scripts/cuda.sh test     # on a machine with a GPU: each test that needs one
#        scripts/cuda.sh bench    # on a machine with a GPU: steps a second at 1,024 to 65,536 lanes, cuda beside cpu
#
# Without a CUDA install it takes what scripts/cuda-toolchain.sh fetches. `check` takes about 20 minutes on two cores, most of it candle's
# kernels. `bench` takes the release build's `train`; THREADS is how many threads the host gets, all by default.

set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

die() {
    printf 'cuda: %s\n' "$*" >&2
    exit 1
}

usage='usage: scripts/cuda.sh check | test | bench'
case "${1-}" in
check) ;;
test | bench) nvidia-smi -L || die 'nvidia-smi finds no GPU; scripts/cuda.sh check needs none' ;;
*) die "$usage" ;;
esac
command -v nvcc >/dev/null || eval "$(scripts/cuda-toolchain.sh)"

# Tests that learn, step or optimize on a GPU where there is one; each says what it skips where there is none.
tests=(--test cuda --test optim_on_device)

case "${1-}" in
check)
    cargo clippy --features cuda --all-targets -- -D warnings
    # With ranks that speak from GPU to GPU. No stub of NCCL to link with is fetched.
    cargo clippy --features cuda,mpi,nccl --all-targets -- -D warnings
    cargo test --features cuda "${tests[@]}" --no-run
    ;;
test)
    cargo test --release --features cuda "${tests[@]}" -- --nocapture
    if (($(nvidia-smi -L | wc -l) > 1)); then
        cargo test --release --features nccl --test nccl -- --nocapture
    fi
    ;;
bench)
    cargo build --release --features cuda --bin uphill
    folder=$(mktemp -d)
    trap 'rm -rf -- "$folder"' EXIT
    # The last with the environments on the card, too.
    printf '%8s %12s %12s %12s\n' lanes cpu cuda 'all on cuda'
    for lanes in 1024 4096 16384 65536; do
        rates=()
        for where in 'cpu false' 'cuda false' 'cuda true'; do
            read -r device there <<<"$where"
            # Eight rollouts, the start of the device among them.
            target/release/uphill train --env CartPole-v1 --algo ppo --envs "$lanes" --n-steps 128 --n-minibatches 4 \
                --steps $((lanes * 128 * 8)) --threads "${THREADS:-0}" --device "$device" --envs-on-device "$there" \
                --quiet --out "$folder/run" --force
            rates+=("$(sed -n 's/.*"steps_per_second": *\([0-9]*\).*/\1/p' "$folder/run/summary.json")")
        done
        printf '%8s %12s %12s %12s\n' "$lanes" "${rates[@]}"
    done
    ;;
esac
