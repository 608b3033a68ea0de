#!/bin/sh
# One role and one schema for the registry and for each service; a role sees its own schema and nothing else.
# Names and passwords come from the connection file that the clients use too (`make secrets` wrote it).
set -eu
field() { sed -n "/^\[$1\]/,/^\[/ s/^$2=//p" /run/secrets/pg_service; }
psql -v ON_ERROR_STOP=1 -U postgres -d treaty -c "REVOKE ALL ON SCHEMA public FROM PUBLIC"
for role in $(sed -n 's/^\[\(.*\)\]$/\1/p' /run/secrets/pg_service); do
  psql -v ON_ERROR_STOP=1 -v role="$role" -v password="$(field "$role" password)" -U postgres -d treaty <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE SCHEMA :"role" AUTHORIZATION :"role";
ALTER ROLE :"role" SET search_path = :"role";
SQL
done
