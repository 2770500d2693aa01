#!/usr/bin/env bash
# The pages of docs/ as a book, target/book/html/index.html, all links in it checked. Installs mdbook at this version if it is missing,
# which takes minutes. Their code is compiled by `cargo test --doc`, their commands are run by tests/book.rs.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.5.4
[ "$(mdbook --version 2>/dev/null)" = "mdbook v$version" ] || cargo install --locked "mdbook@$version"

src=target/book/src html=target/book/html
rm -rf "$src" "$html"
mkdir -p "$src"
cp -r docs/. "$src"
# What pages link to outside docs/ comes with them, in a folder `repository`.
sed -E 's#\]\(docs/#](#g; t; s#\]\((https?:|\#)#](\1#g; t; s#\]\(#](repository/#g' README.md >"$src/README.md"
sed -i -E 's#\]\(\.\./README\.md#](README.md#g; s#\]\(\.\./#](repository/#g' "$src"/*.md
grep -oh '](repository/[^)#]*' "$src"/*.md | sort -u | sed 's#](repository/##' | while read -r target; do
    mkdir -p "$src/repository/$(dirname "$target")"
    cp -r "$target" "$src/repository/$(dirname "$target")/"
done
cp examples/worlds/*.toml "$src/repository/examples/worlds/"
cp -r gallery "$src/repository/"
sed -i 's#](\.\./docs/#](../../#g; s#](\.\./README\.md#](../../README.md#g' "$src/repository/gymnasium/README.md" \
    "$src/repository/gallery/README.md"
{
    printf -- '\n# In the repository\n\n'
    printf -- '- [Worlds that others drew](repository/examples/worlds/README.md)\n- [uphill-gymnasium](repository/gymnasium/README.md)\n'
} >>"$src/SUMMARY.md"
# A page is what SUMMARY.md names; folders have none of their own.
find "$src/repository" -mindepth 1 -type d | while read -r folder; do
    (cd "$folder" && ls -p | grep -v '^index.html$' | sed 's#.*#<li><a href="&">&</a></li>#' >index.html)
done
mdbook build

bad=0
while IFS= read -r page; do
    while IFS= read -r link; do
        target=${link%%#*} anchor=
        [[ $link == *#* ]] && anchor=${link#*#}
        file=$page
        if [ -n "$target" ]; then file=$(dirname "$page")/$target; fi
        if [ -d "$file" ]; then file=${file%/}/index.html; fi
        if [ ! -e "$file" ]; then
            echo "$page: $link leads nowhere" >&2
            bad=1
        elif [ -n "$anchor" ] && [[ $file == *.html ]] && ! grep -qF "id=\"$anchor\"" "$file"; then
            echo "$page: there is no $anchor in $file" >&2
            bad=1
        fi
    done < <(sed -n '/<main>/,/<\/main>/p' "$page" | grep -oE '(href|src)="[^"]+"' | sed 's/^[a-z]*="//; s/"$//' |
        grep -vE '^(https?|mailto|data):' | sed 's/&amp;/\&/g')
done < <(find "$html" -name '*.html' ! -name print.html ! -name toc.html)
exit "$bad"
