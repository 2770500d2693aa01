#!/usr/bin/env bash
# An archive of the program for a target, as `cargo binstall uphill` and people take it: target/release-archives/uphill-<target>-v<version>.tgz
# (.zip for Windows), a file of its SHA-256 beside it, and what it is made of (CycloneDX 1.5, uphill-<version>.cdx.json).
#
# Usage: scripts/release.sh [TARGET]    # this machine's by default; others need their linker
#
# Installs cargo-cyclonedx at this version if it is missing, which takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
cyclonedx=0.5.9

target=${1:-$(rustc -vV | sed -n 's/^host: //p')}
version=$(cargo metadata --no-deps --format-version 1 | sed -n 's/.*"name":"uphill","version":"\([^"]*\)".*/\1/p')
[ -n "$version" ] || { echo "release: cargo metadata names no version" >&2; exit 1; }
archives=$PWD/target/release-archives
name=uphill-$target-v$version
rm -rf "$archives/$name"
mkdir -p "$archives/$name"

CARGO_PROFILE_RELEASE_DEBUG=0 cargo build --release --locked --bin uphill --target "$target"
program=uphill
case $target in *windows*) program=uphill.exe ;; esac
cp "target/$target/release/$program" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$archives/$name/"
# Only the machine's own can be asked.
if [ "$target" = "$(rustc -vV | sed -n 's/^host: //p')" ]; then
    "$archives/$name/$program" man --out "$archives/$name/man"
    mkdir "$archives/$name/completions"
    for shell in bash zsh fish elvish powershell; do
        "$archives/$name/$program" completions "$shell" >"$archives/$name/completions/uphill.$shell"
    done
fi

cd "$archives"
case $target in
*windows*)
    archive=$name.zip
    7z a -bd "$archive" "$name" >/dev/null
    ;;
*)
    archive=$name.tgz
    # The same files make the same bytes, where tar is GNU's.
    if tar --version | grep -q GNU; then
        tar --sort=name --owner=0 --group=0 --numeric-owner --mtime='1970-01-01' -cf - "$name" | gzip -n >"$archive"
    else
        tar -czf "$archive" "$name"
    fi
    ;;
esac
sha256() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi; }
sha256 "$archive" >"$archive.sha256"

cd ../..
cargo cyclonedx --version 2>/dev/null | grep -qF "$cyclonedx" || cargo install --locked "cargo-cyclonedx@$cyclonedx"
# Of the time of the sources, and without the place where they lie. It writes one beside each crate of the workspace.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0) \
    cargo cyclonedx --format json --spec-version 1.5 --target "$target" --manifest-path Cargo.toml --override-filename bom
sed "s#$PWD#.#g" bom.json >"$archives/uphill-$version.cdx.json"
cargo metadata --no-deps --format-version 1 | grep -o '"manifest_path":"[^"]*"' | cut -d'"' -f4 | while read -r manifest; do
    rm -f "$(dirname "$manifest")/bom.json"
done
ls -l "$archives"
