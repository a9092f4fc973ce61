# Makes what is missing of the secrets of compose.yaml: each in a volume that only its users have. Run by sh, as often as you like.
set -eu
umask 077

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

[ -s /secrets/postgres/password ] || write /secrets/postgres/password "$(random)"
[ -s /secrets/prefect/auth ] || write /secrets/prefect/auth "lictor:$(random)"
if ! lictor token list --json | grep -q '"name":"worker"'; then
  token create worker --role worker
elif [ ! -s /secrets/worker/token ]; then
  token rotate worker --overlap 0s
fi
