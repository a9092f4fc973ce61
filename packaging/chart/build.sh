#!/bin/sh
# packaging/chart/build.sh TREE DIRECTORY: writes the Helm chart of the release in TREE (node packaging/tree.ts TREE) to DIRECTORY.
# `helm package` writes the time of its run, so this uses tar.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
tree=$(CDPATH='' cd -- "$1" && pwd -P)
mkdir -p "$2"
out=$(CDPATH='' cd -- "$2" && pwd -P)
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$tree/package.json")

cd "$here"
tar --create --sort=name --mtime="@$(stat -c %Y "$tree")" --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' --format=ustar \
  --transform='s,^,lictor/,' --use-compress-program='gzip -9n' --file="$out/lictor-$version.tgz" Chart.yaml values.yaml values.schema.json templates -C "$tree" LICENSE
