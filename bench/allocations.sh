#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev bench allocations [REQUESTS]: calls of the general allocator per request in the steady state, of a plain handler and
# of a Task that does not wait. Counted in the server's whole process. Fails unless both are zero.
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"
requests=${1:-1000000}
warm_up=50000

command -v h2load >/dev/null || fail "h2load is missing: ./dev setup bench"
gcc -O2 -shared -fPIC -o "$work/malloc_counter.so" "$root/bench/malloc_counter.c"
server_env=(LD_PRELOAD="$work/malloc_counter.so" SPATE_MALLOC_COUNTS="$work/counts")
start_server spate-measured-server --workers 1

word() { od -An -t u8 -j $((8 * $1)) -N 8 "$work/counts" | tr -d ' '; }
print_backtraces() { printf "$(printf '\\x%02x' "$1")" | dd of="$work/counts" bs=1 seek=24 conv=notrunc status=none; }
ask() { timeout 300 h2load --h1 -t 1 -c 64 -n "$1" "$url$2" >"$work/load" || fail "h2load failed: $(cat "$work/load")"; }

(($(word 0) > 0)) || fail "the counter saw no allocation at the start of the server: it does not work"
bad=0
echo "server: spate-measured-server, 1 worker; client: h2load --h1 -c 64, $requests requests after $warm_up for warming up"
for route in "/plaintext plain handler" "/hello/world Task that does not wait"; do
  path=${route%% *}
  ask "$warm_up" "$path"
  before=$(word 0)
  print_backtraces 3
  ask "$requests" "$path"
  after=$(word 0)
  print_backtraces 0
  succeeded=$(sed -n 's/.* \([0-9]*\) succeeded.*/\1/p' "$work/load")
  [[ $succeeded == "$requests" ]] || { echo "only $succeeded of $requests requests were answered"; bad=1; }
  awk -v a="$((after - before))" -v n="$requests" -v what="${route#* }" -v p="$path" \
    'BEGIN { printf "%-14s %-26s %9d allocations  %.6f per request\n", p, what, a, a / n }'
  ((after == before)) || bad=1
done
if ((bad)); then
  echo "the first allocations (addresses for llvm-symbolizer-19 --obj=$build/bin/spate-measured-server):"
  sed 's/^/  /' "$work/server.err" | head -n 80
  while read -r address; do
    llvm-symbolizer-19 --obj="$build/bin/spate-measured-server" "$address" 2>/dev/null | head -n 2 | paste -sd ' ' || true
  done < <(grep -o 'spate-measured-server(+0x[0-9a-f]*' "$work/server.err" | sed 's/.*(+//' | head -n 40)
fi
exit $bad
