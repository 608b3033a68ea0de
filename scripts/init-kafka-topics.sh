#!/bin/sh
# Topics become what git says; drift that people have to judge stops it. Options go to the plan, like --env compose.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
treaty topics plan --out "$folder/plan.json" "$@"
treaty topics apply "$folder/plan.json" --yes
