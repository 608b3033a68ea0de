#!/usr/bin/env bash
# The checks, then the outputs of the action; the exit code is that of the checks.
set -euo pipefail
words=(ci "--report=$TREATY_REVIEW_REPORT")
[ -z "$TREATY_REVIEW_BASE" ] || words+=("--base=$TREATY_REVIEW_BASE")
[ -z "$TREATY_REVIEW_ENVIRONMENT" ] || words+=("--env=$TREATY_REVIEW_ENVIRONMENT")
[ -z "$TREATY_REVIEW_ONLY" ] || words+=("--only=$TREATY_REVIEW_ONLY")
[ -z "$TREATY_REVIEW_APPROVALS" ] || words+=("--approvals=$TREATY_REVIEW_APPROVALS")
[ -z "$TREATY_REVIEW_COMMENT" ] || words+=("--comment=$TREATY_REVIEW_COMMENT")
# Variables that begin with TREATY_ are settings; these are none.
report=$TREATY_REVIEW_REPORT command=$TREATY_REVIEW_COMMAND
unset "${!TREATY_REVIEW_@}"
rm -f -- "$report"  # an older one must not speak for this run
code=0
"$command" "${words[@]}" || code=$?
[ ! -f "$report" ] || python3 "$GITHUB_ACTION_PATH/outputs.py" "$report" >> "$GITHUB_OUTPUT"
exit "$code"
