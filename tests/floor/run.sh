#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev test floor: the floor of the benchmarks stays as lean as it claims to be. SPATE_BUILD names the build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${SPATE_BUILD:-$root/build/release}
[[ -x $build/bin/spate-floor ]] || { echo "there is no $build/bin/spate-floor; run ./dev build first" >&2; exit 2; }
exec timeout 300 python3 "$root/tests/floor/cost_test.py" "$build/bin/spate-floor"
