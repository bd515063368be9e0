#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev bench parse [CASE...]: instructions of one request head parsed, or one path routed, under callgrind: the difference
# between two counts, so that start and end do not show. valgrind knows AVX2 and hides AVX-512.
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"
program=$build/bin/spate-bench-parse
command -v valgrind >/dev/null || fail "valgrind is missing: ./dev setup bench"
[[ -x $program ]] || fail "there is no $program; run ./dev build first"
(($#)) || set -- h2load wrk browser post static parameter parameter_deep parameter_escaped not_found

instructions() {
  valgrind --tool=callgrind --callgrind-out-file="$work/out" "$program" "$@" 2>"$work/err" ||
    fail "spate-bench-parse $* failed: $(cat "$work/err")"
  sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$work/err"
}
printf '%-20s %s\n' case "instructions of one"
for name; do
  few=$(instructions "$name" 1000)
  many=$(instructions "$name" 11000)
  awk -v n="$name" -v d="$((many - few))" 'BEGIN { printf "%-20s %.1f\n", n, d / 10000 }'
done
