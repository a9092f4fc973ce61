#!/bin/sh
# packaging/image/build.sh TREE DIRECTORY: writes the container image of the release in TREE to DIRECTORY: an OCI archive, for docker load and podman load.
# It needs buildah. Without a container engine, as root: BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs.
#
# BASE   the image that it is built on, best by its digest: debian:bookworm-slim@sha256:...
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
tree=$1
mkdir -p "$2"
out=$(CDPATH='' cd -- "$2" && pwd -P)
: "${BASE:?names the image to build on, best by its digest: debian:bookworm-slim@sha256:...}"
umask 022
SOURCE_DATE_EPOCH=$(stat -c %Y "$tree")
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$tree/package.json")
name=localhost/lictor:$version

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/context.sh" "$tree" "$work/context"
buildah build --no-cache --timestamp "$SOURCE_DATE_EPOCH" --build-arg BASE="$BASE" --tag "$name" "$work/context" >&2
buildah push --quiet "$name" "oci:$work/layout:$name"
node "$here/oci-layout.ts" "$work/layout" "$work/context/Containerfile"
tar -c -C "$work/layout" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$SOURCE_DATE_EPOCH" \
  -f "$out/lictor-$version-image-$(uname -m).tar" .
