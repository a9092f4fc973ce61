#!/bin/sh
# packaging/wheel/build.sh TREE DIRECTORY: writes the wheel of the release in TREE (node packaging/tree.ts TREE) to DIRECTORY.
#
# PYTHON   a Python with hatchling, of the version in pyproject.toml.in (default: python3)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
tree=$1
mkdir -p "$2"
out=$(CDPATH='' cd -- "$2" && pwd -P)
umask 022
SOURCE_DATE_EPOCH=$(stat -c %Y "$tree")
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/lictor"
cp "$here/README.md" "$tree/LICENSE" "$work"
cp "$here"/lictor/*.py "$work/lictor"
cp -R "$tree" "$work/lictor/program"
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$tree/package.json")
sed "s/@VERSION@/$version/" "$here/pyproject.toml.in" >"$work/pyproject.toml"
cd "$work"
"${PYTHON:-python3}" -m hatchling build -t wheel -d "$out" >/dev/null
