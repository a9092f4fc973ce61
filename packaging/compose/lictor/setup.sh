# Makes what is missing of the secrets of compose.yaml: each in a volume that only its users have. Run by sh, as often as you like.
set -eu
umask 077
store=/var/lib/lictor/lictor.db

random() {
  head -c 32 /dev/urandom | base64 | tr -d '+/=\n'
}

# write FILE TEXT: whole or not at all.
write() {
  printf '%s\n' "$2" >"$1.new"
  mv "$1.new" "$1"
}

# token COMMAND...: the secret that a command for tokens prints.
token() {
  made=$(lictor token "$@" --json)
  secret=$(printf '%s' "$made" | sed -n 's/.*"secret":"\([^"]*\)".*/\1/p')
  write /secrets/worker/token "${secret:?no secret in the answer of lictor token}"
}

if [ ! -s /secrets/postgres/password ]; then
  # Postgres lets only its own user read the directory of a database.
  if [ -e "$store" ] || [ ! -r /postgres-data ]; then
    echo 'setup: the volume postgres-secret has no password, but Lictor or Postgres has data from an earlier start.' >&2
    echo 'Postgres would reject a new password. Restore all volumes of the backup. To move the data of another Prefect' >&2
    echo 'in, remove the volume postgres-data and load a dump: both are in docs/how-to/docker-compose.md.' >&2
    exit 1
  fi
  write /secrets/postgres/password "$(random)"
fi
[ -s /secrets/prefect/auth ] || write /secrets/prefect/auth "lictor:$(random)"

tokens=
[ ! -e "$store" ] || tokens=$(lictor token list --json)
case $tokens in
  *'"name":"worker"'*) [ -s /secrets/worker/token ] || token rotate worker --overlap 0s ;;
  *) token create worker --role worker ;;
esac
