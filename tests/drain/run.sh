#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev test drain: twenty times, the showcase gets SIGTERM under load, and no client loses an answer. SPATE_BUILD names the
# build, SPATE_SERVER another program than the showcase.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${SPATE_BUILD:-$root/build/release}
program=${SPATE_SERVER:-$build/bin/spate-showcase}
[[ -x $program ]] || { echo "there is no $program; run ./dev build first" >&2; exit 2; }
exec timeout 300 python3 "$root/tests/drain/drain.py" "$program" "${1:-20}"
