#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev bench wrk [SECONDS]: wrk -t1 -c64 on /plaintext of the showcase, one worker: requests, errors, and the server's processor
# time per request. Fails when one request failed.
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"
seconds=${1:-10}
command -v wrk >/dev/null || fail "wrk is missing: ./dev setup bench"
program=spate-showcase
[[ -x $build/bin/$program ]] || program=spate-measured-server
start_server "$program" --workers 1
cat >"$work/report.lua" <<'LUA'
done = function(summary)
  local e = summary.errors
  io.write(string.format("RESULT %d %d\n", summary.requests, e.connect + e.read + e.write + e.status + e.timeout))
end
LUA
timeout 60 wrk -t1 -c64 -d2s "$url/plaintext" >/dev/null
before=$(server_cpu_us)
timeout $((seconds + 60)) wrk -t1 -c64 -d"${seconds}s" -s "$work/report.lua" "$url/plaintext" >"$work/wrk.out"
after=$(server_cpu_us)
read -r _ requests errors < <(grep '^RESULT ' "$work/wrk.out")
echo "$program, 1 worker, default limits; wrk -t1 -c64 -d${seconds}s on /plaintext after 2 s for warming up"
awk -v n="$requests" -v e="$errors" -v s="$seconds" -v c="$((after - before))" \
  'BEGIN { printf "%d requests (%.0f a second), %d errors, %.3f us of the server'\''s processor time per request\n", n, n / s, e, c / n }'
((requests > 0 && errors == 0))
