#!/bin/sh
# One shot: topics and registry contents become what git says, then the services may start.
set -eu
treaty topics plan --env compose --out /tmp/topics.json
treaty topics apply /tmp/topics.json --yes
treaty registry plan --env compose --out /tmp/registry.json
# The schemas are mounted to be read only: the ids of containers that may be thrown away belong in no lock.
treaty registry apply /tmp/registry.json --yes --no-lock
