#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev bench idle: user memory per idle connection, the slope between 5,000 and 15,000 connections of a warmed process. Each
# has been served a GET, a Task that waits and an upload of 20 KiB before it idles. Fails above 128 bytes.
#
# Measured: Private_Dirty of /proc/PID/smaps_rollup, the pages that this process alone has written. Pss would add shares of the
# libraries' pages, which connections do not change. Memory of the kernel (sockets) is in neither.
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"
most=${1:-128}
ulimit -n "$(ulimit -Hn)"
(($(ulimit -n) >= 18000)) || fail "15,000 connections need a descriptor limit of 18,000; this shell has $(ulimit -n)"
start_server spate-measured-server --workers 1
timeout 240 python3 "$root/bench/idle_clients.py" "$url" "$server_pid" "$most"
