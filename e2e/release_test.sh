#!/bin/bash
# A test of a release script, in shell: a failing job, an approval, bad weather,
# and an hour that passes in a second.
#
#	release_test.sh path/to/circleci-fake
set -euo pipefail

log="$(mktemp)"
"$1" -addr 127.0.0.1:0 -seed empty -speed 0 >"$log" &
trap 'kill $!; rm -f "$log"' EXIT
until grep -q api/v2/me "$log"; do sleep 0.1; done
eval "$(grep export "$log")"

call() { # method, path, body
  curl -sS -X "$1" -H "Circle-Token: $CIRCLE_TOKEN" -H 'Content-Type: application/json' ${3:+--data "$3"} "$CIRCLE_HOST$2"
}
get() { # member: the first text of that name in the JSON on standard input
  grep -o "\"$1\":\"[^\"]*\"" | head -1 | cut -d'"' -f4
}
expect() { # what, want, got
  [ "$2" = "$3" ] || { echo "FAIL $1: want $2, got $3" >&2; exit 1; }
  echo "ok   $1"
}

call POST /_fake/scenario '{"projects": {"gh/acme/web": {"scripts": [
  {"workflows": [{"name": "release", "jobs": [{"name": "test", "takes": "55m", "fails": true}]}]},
  {"workflows": [{"name": "release", "jobs": [{"name": "hold", "approval": true}, {"name": "ship", "requires": ["hold"]}]}]}
]}}}' >/dev/null

pipeline="$(call POST /api/v2/project/gh/acme/web/pipeline '{"branch": "main"}' | get id)"
call POST /_fake/time '{"advance": "1h"}' >/dev/null
expect "a failing job fails the release" failed "$(call GET "/api/v2/pipeline/$pipeline/workflow" | get status)"

call POST /_fake/weather '{"fault": "server_error", "status": 503, "for": ["GET /pipeline/{pipeline-id}/workflow"], "times": 1}' >/dev/null
pipeline="$(call POST /api/v2/project/gh/acme/web/pipeline '{"branch": "main"}' | get id)"
call POST /_fake/time '{"advance": "1m"}' >/dev/null
call GET "/api/v2/pipeline/$pipeline/workflow" >/dev/null # the bad weather
answer="$(call GET "/api/v2/pipeline/$pipeline/workflow")"
expect "the release waits for an approval" on_hold "$(get status <<<"$answer")"
workflow="$(get id <<<"$answer")"
hold="$(call GET "/api/v2/workflow/$workflow/job" | get approval_request_id)"
call POST "/api/v2/workflow/$workflow/approve/$hold" >/dev/null
call POST /_fake/time '{"advance": "1h"}' >/dev/null
expect "the release ships" success "$(call GET "/api/v2/pipeline/$pipeline/workflow" | get status)"
