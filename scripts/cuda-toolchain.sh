#!/usr/bin/env bash
#
# Fetches the CUDA compiler and its headers from PyPI into a local folder, so
# that the `cuda` feature can be built on a Linux machine that has neither a GPU
# nor a CUDA install:
#
#     eval "$(scripts/cuda-toolchain.sh)"
#     cargo build --release --features cuda
#
# Usage: scripts/cuda-toolchain.sh [FOLDER]
#
# FOLDER is where the toolchain goes, `target/cuda-toolchain` of this repository
# by default. The script prints `export` lines on standard output and its
# progress on standard error; a second run downloads nothing. An already set
# CUDA_COMPUTE_CAP is kept. Needs python3 with pip, and g++.
#
# The libraries that a program is linked to, such as cuBLAS, are stubs: they say
# what they are called and what is in them, and hold nothing. What is built runs
# where the libraries themselves are, of the same major version, and the driver.
# It is not needed with a real CUDA install.

set -euo pipefail

# One CUDA release. cudarc refuses an nvcc newer than it knows, so look there
# before raising these.
packages=(
    nvidia-cuda-nvcc==13.0.88
    nvidia-cuda-crt==13.0.88
    nvidia-nvvm==13.0.88
    nvidia-cuda-cccl==13.0.85
    nvidia-cuda-runtime==13.0.96
)

say() { printf 'cuda-toolchain: %s\n' "$*" >&2; }

die() {
    say "$@"
    exit 1
}

case "${1-}" in
-h | --help)
    sed -n '3,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit
    ;;
-*) die "unknown option $1; usage: cuda-toolchain.sh [FOLDER]" ;;
esac
(($# <= 1)) || die 'usage: cuda-toolchain.sh [FOLDER]'

[[ $(uname -s) == Linux ]] || die 'the packages exist for Linux only'
command -v g++ >/dev/null || die 'g++ not found; nvcc needs it as its host compiler'

folder=${1:-$(dirname -- "${BASH_SOURCE[0]}")/../target/cuda-toolchain}
mkdir -p -- "$folder"
folder=$(cd -- "$folder" >/dev/null && pwd)

# Written last, so that an interrupted download is not taken for a whole one.
stamp=$folder/packages/.installed

if [[ -f $stamp && $(<"$stamp") == "${packages[*]}" ]]; then
    say "already in $folder"
else
    command -v python3 >/dev/null || die 'python3 not found; it is needed, with pip'
    python3 -m pip --version >/dev/null 2>&1 ||
        die 'python3 has no pip; install it (python3-pip or python3-venv in most distributions)'

    say "fetching ${packages[*]}"
    fresh=$(mktemp -d "$folder/fetch.XXXXXX")
    trap 'rm -rf -- "$fresh"' EXIT
    PIP_USER=0 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 \
        python3 -m pip install --no-deps --only-binary :all: \
        --target "$fresh/packages" "${packages[@]}" >&2 ||
        die 'pip could not fetch the packages; its message is above'
    printf '%s\n' "${packages[*]}" >"$fresh/packages/.installed"
    rm -rf -- "$folder/packages"
    mv -- "$fresh/packages" "$folder/packages"
    say "installed in $folder"
fi

# The packages share one tree; give it the layout of a CUDA install.
tree=packages/nvidia/cu13
for name in bin include nvvm; do
    ln -sfn "$tree/$name" "$folder/$name"
done
ln -sfn "$tree/lib" "$folder/lib64"

# A stub of each library, with every function that cudarc declares of it.
cargo=${CARGO:-cargo}
cudarc=$("$cargo" metadata --format-version 1 --features cuda --manifest-path "$(dirname -- "${BASH_SOURCE[0]}")/../Cargo.toml" |
    python3 -c 'import json, os, sys
packages = json.load(sys.stdin)["packages"]
print(next(os.path.dirname(p["manifest_path"]) for p in packages if p["name"] == "cudarc"))') ||
    die 'cargo did not say where the crate cudarc is'
stubs=$folder/lib/stubs
mkdir -p -- "$stubs"
stub() { # MODULE NAME SONAME
    grep -oE '\bfn (cu|nvrtc)[A-Za-z0-9_]*' "$cudarc/src/$1/sys/mod.rs" | sort -u |
        sed 's/fn \(.*\)/void \1(void) {}/' |
        gcc -shared -w -fno-builtin -x c - -Wl,-soname,"$3" -o "$stubs/lib$2.so" ||
        die "gcc could not make a stub of lib$2"
}
stub driver cuda libcuda.so.1
stub nvrtc nvrtc libnvrtc.so.13
stub curand curand libcurand.so.10
stub cublas cublas libcublas.so.13
stub cublaslt cublasLt libcublasLt.so.13
ln -sfn ../../lib64/libcudart.so.13 "$stubs/libcudart.so"

"$folder/bin/nvcc" --version >/dev/null || die "$folder/bin/nvcc does not run"

printf 'export CUDA_HOME=%q\n' "$folder"
# shellcheck disable=SC2016 # the reader's shell expands these
printf 'export PATH="$CUDA_HOME/bin:$PATH"\n'
printf 'export CUDA_COMPUTE_CAP=%q\n' "${CUDA_COMPUTE_CAP:-90}"
