#!/usr/bin/env bash
# Memcheck over the tests of the kernels, the only `unsafe` of the project, and of what calls them. Needs valgrind, which
# knows no AVX-512: it sees the kernels as they run on AVX2.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --release --lib --test kernels --no-run --message-format=json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' |
    while read -r tests; do
        case "$tests" in
            */kernels-*) valgrind --error-exitcode=9 --quiet "$tests" ;;
            *) valgrind --error-exitcode=9 --quiet "$tests" kernels:: dist:: threads:: ;;
        esac
    done
