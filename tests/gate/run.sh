#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev test gate: what a request costs, in instructions and allocations, stays within bench/thresholds.txt. Counts, not times: a busy
# machine changes nothing. An engine that the machine forbids is named and left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python3 tests/gate/selftest.py
failed=0
bench/allocations.py 100000 || failed=1
bench/instructions.py --check || failed=1
((failed == 0)) || { echo "gate: above a limit of bench/thresholds.txt, see FAILED above" >&2; exit 1; }
echo "gate: all figures within bench/thresholds.txt"
