# with-secrets.sh COMMAND...: runs a command of Prefect with the secrets of its volumes as settings. Run by sh.
set -eu

if [ -e /secrets/prefect/auth ]; then
  PREFECT_SERVER_API_AUTH_STRING=$(cat /secrets/prefect/auth)
  PREFECT_SERVER_DATABASE_PASSWORD=$(cat /secrets/postgres/password)
  export PREFECT_SERVER_API_AUTH_STRING PREFECT_SERVER_DATABASE_PASSWORD
fi
if [ -e /secrets/prefect/encryption-key ]; then
  PREFECT_SERVER_ENCRYPTION_KEY=$(cat /secrets/prefect/encryption-key)
  export PREFECT_SERVER_ENCRYPTION_KEY
fi
if [ -e /secrets/worker/token ]; then
  PREFECT_API_AUTH_STRING=any:$(cat /secrets/worker/token)
  export PREFECT_API_AUTH_STRING
fi
exec "$@"
