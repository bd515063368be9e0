# SPDX-License-Identifier: MIT
# Sourced by the scripts of this folder: where things are, and starting and ending a server.
# shellcheck shell=bash
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${SPATE_BUILD:-$root/build/release}
work=$(mktemp -d)
server_pid=""

fail() { printf '%s\n' "$*" >&2; exit 1; }

end_server() {
  [[ -n $server_pid ]] || return 0
  kill -TERM "$server_pid" 2>/dev/null || true
  for _ in {1..100}; do kill -0 "$server_pid" 2>/dev/null || break; sleep 0.1; done
  kill -KILL "$server_pid" 2>/dev/null || true
  wait "$server_pid" 2>/dev/null || true
  server_pid=""
}
trap 'end_server; rm -rf "$work"' EXIT

# start_server PROGRAM ARGS...: on a free port; sets server_pid and url. Variables for its environment: server_env=(A=1).
server_env=()
start_server() {
  local program=$build/bin/$1
  [[ -x $program ]] || fail "there is no $program; run ./dev build first"
  : >"$work/server.out"
  env "${server_env[@]}" "$program" --listen 127.0.0.1:0 "${@:2}" >"$work/server.out" 2>"$work/server.err" &
  server_pid=$!
  for _ in {1..100}; do
    url=$(grep -o 'http://[0-9.:]*' "$work/server.out" | head -n 1 || true)
    [[ -z $url ]] || return 0
    kill -0 "$server_pid" 2>/dev/null || fail "$1 did not start: $(cat "$work/server.err")"
    sleep 0.1
  done
  fail "$1 named no address within 10 s"
}

# Processor time of all threads of the server, in microseconds.
server_cpu_us() { cat /proc/"$server_pid"/task/*/schedstat | awk '{ sum += $1 } END { printf "%d", sum / 1000 }'; }
