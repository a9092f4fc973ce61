#!/bin/sh
# packaging/compose/build.sh TREE DIRECTORY: writes the files of compose.yaml for the release in TREE to DIRECTORY, as an archive.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
tree=$1
mkdir -p "$2"
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$tree/package.json")
file=$2/lictor-$version-compose.tar
tar -c -C "$here" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$(stat -c %Y "$tree")" \
  --exclude=./build.sh --transform 's,^\.,lictor-compose,' -f "$file" .
gzip -9nf "$file"
