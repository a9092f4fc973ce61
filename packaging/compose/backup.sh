# backup.sh save|restore DIRECTORY: copies this directory and the volumes of the Compose files, or replaces the volumes by a copy. Run by sh, here.
# It stops at the first error. A copy has its name only when it is complete.
set -eu
umask 077
volumes=$(docker compose config --volumes)
image=$(grep -o -m 1 'localhost/lictor:.*' compose.yaml)

fail() {
  echo "backup: $1" >&2
  exit 1
}

# tar_in SOURCE OPTION...: tar as root in a container, because each file belongs to the user of its service.
tar_in() {
  source=$1
  shift
  docker run --rm --interactive --user 0 --network none --entrypoint tar --volume "$source:/v" "$image" -C /v "$@"
}

save() {
  [ ! -e "$1" ] || fail "$1 exists. Name a new directory."
  # Docker would make an empty volume in place of a missing one.
  for volume in $volumes; do
    docker volume inspect "lictor-compose_$volume" >/dev/null || fail 'compose.yaml has not started in a directory called lictor-compose.'
  done
  docker image inspect "$image" >/dev/null
  rm -rf "$1.part"
  mkdir "$1.part"
  trap 'docker compose up --detach' EXIT
  docker compose stop
  tar_in "$PWD" -c . >"$1.part/directory.tar"
  for volume in $volumes; do
    tar_in "lictor-compose_$volume" -c . >"$1.part/$volume.tar"
  done
  mv "$1.part" "$1"
}

restore() {
  docker image inspect "$image" >/dev/null || fail "Docker has no $image. Load it first."
  for volume in $volumes; do
    [ -s "$1/$volume.tar" ] || fail "$1 has no $volume.tar. Nothing has changed."
  done
  docker compose down --volumes --remove-orphans
  for volume in $volumes; do
    tar_in "lictor-compose_$volume" -x <"$1/$volume.tar"
  done
  docker compose up --detach
}

case ${1-} in
  save | restore) "$1" "${2:?name a directory}" ;;
  *) fail 'usage: sh backup.sh save|restore DIRECTORY' ;;
esac
