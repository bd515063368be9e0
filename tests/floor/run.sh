#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev test floor: the floor of the benchmarks stays as lean as it claims to be, and what measures against it works. SPATE_BUILD
# names the build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export SPATE_BUILD=${SPATE_BUILD:-$root/build/release}
[[ -x $SPATE_BUILD/bin/spate-floor ]] || { echo "there is no $SPATE_BUILD/bin/spate-floor; run ./dev build first" >&2; exit 2; }
timeout 300 python3 "$root/tests/floor/cost_test.py" "$SPATE_BUILD/bin/spate-floor"
timeout 300 python3 "$root/tests/floor/runner_test.py"
