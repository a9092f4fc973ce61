# What the entrypoint of the image postgres does: the database and the password by its variables, then the server. Run by sh.
set -eu
data=/var/lib/postgresql/data
as_nobody() {
  setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
}

if [ ! -e "$data/PG_VERSION" ]; then
  chown nobody "$data"
  install -m 600 -o nobody "$POSTGRES_PASSWORD_FILE" /tmp/password
  as_nobody initdb -D "$data" -U "$POSTGRES_USER" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 --no-sync -E UTF8 --locale=C
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
  echo "CREATE DATABASE $POSTGRES_DB" | as_nobody postgres --single -D "$data" postgres
fi
exec setpriv --reuid=nobody --regid=nogroup --clear-groups postgres -D "$data" -c 'listen_addresses=*' -c unix_socket_directories=/tmp -c fsync=off
