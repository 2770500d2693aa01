#!/usr/bin/env bash
# What comes in and what goes out: licences, sources, duplicate versions and known advisories of every dependency
# (deny.toml), and that the public interface breaks nothing that the last release promised. Installs its tools at these
# versions if they are missing, which takes minutes; scripts/supply-chain.sh [BASELINE] takes a revision to compare with
# in place of the last tag. The advisories are fetched from GitHub; where that cannot be reached, it says so.
set -euo pipefail
cd "$(dirname "$0")/.."
tool() {
    cargo "$1" --version 2>/dev/null | grep -qF "$2" || cargo install --locked "cargo-$1@$2"
}

tool deny 0.20.2
cargo deny check licenses bans sources
if cargo deny fetch db; then
    cargo deny check advisories
else
    echo "advisories: the database cannot be reached, so they were not checked"
fi

baseline=${1:-$(git describe --tags --abbrev=0 2>/dev/null || true)}
if [ -z "$baseline" ]; then
    echo "semver: nothing has been released yet, so nothing can break"
    exit
fi
tool semver-checks 0.51.0
# Default features: the others need CUDA, an Apple machine or SDL2.
cargo semver-checks --workspace --default-features --baseline-rev "$baseline"
