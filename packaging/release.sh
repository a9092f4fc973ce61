#!/bin/sh
# packaging/release.sh TAG DIRECTORY: writes every package of the release TAG to DIRECTORY, with the SBOM and SHA256SUMS.
# It builds a clean clone with the npm packages of its lock file. It needs git, npm, Node 24.7, Python with venv, dpkg-deb, buildah,
# and BASE (packaging/image/build.sh).
set -eu

tag=$1
mkdir -p "$2"
out=$(CDPATH='' cd -- "$2" && pwd -P)
repository=$(git -C "$(dirname -- "$0")" rev-parse --show-toplevel)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -c advice.detachedHead=false clone --quiet --branch "$tag" "$repository" "$work/source"
cd "$work/source"
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
[ "$tag" = "v$version" ] || {
  echo "release.sh: the tag $tag does not fit version $version of package.json: it must be v$version." >&2
  exit 1
}
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check "$(sed -n 's/^requires = \["\(.*\)"\]$/\1/p' packaging/wheel/pyproject.toml.in)"

node packaging/tree.ts "$work/tree"
packaging/deb/build.sh "$work/tree" "$out"
PYTHON=$work/python/bin/python packaging/wheel/build.sh "$work/tree" "$out"
packaging/chart/build.sh "$work/tree" "$out"
packaging/image/build.sh "$work/tree" "$out"
packaging/compose/build.sh "$work/tree" "$out"
cp "$work/tree/sbom.cdx.json" "$out/lictor-$version.cdx.json"
cd "$out"
sha256sum ./*"$version"* >SHA256SUMS
