#!/bin/sh
# One shot: topics and registry contents become what git says, then the services may start.
set -eu
for kind in topics registry; do
  treaty "$kind" plan --env compose --out "/tmp/$kind.json"
  treaty "$kind" apply "/tmp/$kind.json" --yes
done
