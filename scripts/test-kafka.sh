#!/bin/sh
# A test event goes through order-events and is read back; everything else is looked at too. Options go on, like --env compose.
set -eu
exec treaty doctor --publish order-events "$@"
