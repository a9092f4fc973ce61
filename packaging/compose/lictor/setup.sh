# Makes what is missing of the secrets of compose.yaml: each in a volume that only its users have. Run by sh, as often as you like.
# `setup.sh store` makes the password of the store of compose.two-nodes.yaml alone, which Postgres needs before the rest runs.
set -eu
umask 077
state=/var/lib/lictor
store=$state/lictor.db

random() {
  head -c 32 /dev/urandom | base64 | tr -d '+/=\n'
}

# write FILE TEXT: whole or not at all.
write() {
  printf '%s\n' "$2" >"$1.new"
  mv "$1.new" "$1"
}

# fail LINE...
fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# password NAME: of the Postgres with the volumes NAME-secret and NAME-data.
password() {
  [ ! -s "/secrets/$1/password" ] || return 0
  # Postgres lets only its own user read the directory of a database.
  if [ -e "$store" ] || [ ! -r "/$1-data" ]; then
    fail "setup: the volume $1-secret has no password, but Lictor or Postgres has data from an earlier start." \
      'Postgres would reject a new password. Restore all volumes of the backup. To move the data of another Prefect' \
      'in, remove the volume postgres-data and load a dump: both are in docs/how-to/docker-compose.md.'
  fi
  write "/secrets/$1/password" "$(random)"
}

# token COMMAND...: the secret that a command for tokens prints.
token() {
  made=$(lictor token "$@" --json)
  secret=$(printf '%s' "$made" | sed -n 's/.*"secret":"\([^"]*\)".*/\1/p')
  write /secrets/worker/token "${secret:?no secret in the answer of lictor token}"
}

# The second node gets the key of the first one. Nodes with different keys do not start.
share_seal() {
  mkdir -p "$state/keys" "$state-2/keys"
  [ -s "$state/keys/seal.key" ] || write "$state/keys/seal.key" "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')"
  [ -s "$state-2/keys/seal.key" ] || write "$state-2/keys/seal.key" "$(cat "$state/keys/seal.key")"
}

if [ "${1-}" = store ]; then
  password store
  exit
fi
password postgres
[ -s /secrets/prefect/auth ] || write /secrets/prefect/auth "lictor:$(random)"

tokens=
if [ -s /secrets/store/password ]; then
  grep -q '^[^#]*postgres://' /etc/lictor/lictor.yaml ||
    fail 'setup: without a store in lictor/lictor.yaml, each node would have its own accounts.' \
      'Run: cat lictor/two-nodes.yaml >>lictor/lictor.yaml'
  share_seal
  tokens=$(lictor token list --json)
elif [ -e "$store" ]; then
  tokens=$(lictor token list --json)
fi
case $tokens in
  *'"name":"worker"'*) [ -s /secrets/worker/token ] || token rotate worker --overlap 0s ;;
  *)
    [ ! -s /secrets/store/password ] || [ ! -e "$store" ] ||
      fail 'setup: Postgres has nothing of lictor.db, the store of one node. Move it as docs/how-to/docker-compose.md#two-nodes says.'
    token create worker --role worker
    ;;
esac
