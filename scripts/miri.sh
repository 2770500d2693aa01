#!/usr/bin/env bash
# Miri over what it can interpret: the kernels' plain code, the threads, the language of optimizers and the environments.
# It finds undefined behaviour, data races among them, that a test which passes may still have. Needs a nightly toolchain:
#   rustup toolchain install nightly --component miri,rust-src
set -euo pipefail
cd "$(dirname "$0")/.."
# The random orders that Miri tries are those of this seed; the last bit of a sine is not to be one of them.
export MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-deterministic-floats -Zmiri-seed=1 ${MIRIFLAGS:-}"
export PROPTEST_CASES=4
# What is left out takes many thousands of steps of what the others take a few of.
cargo +nightly miri test --package uphill-envs --test map --test gridworld --test lanes -- --skip gymnasiums --skip as_often
cargo +nightly miri test --lib -- kernels:: threads:: optim::pattern --skip errors_are_what_is_said
cargo +nightly miri test --test optim -- spec::
