#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# spate-orders as a real process: a million records in flat memory, stops that lose no order, restarts.
# ORDERS_BINARY: the program; without it, the release build's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [[ -z ${ORDERS_BINARY:-} ]]; then
  ./dev build release --target spate-orders
  ORDERS_BINARY=build/release/bin/spate-orders
fi
exec python3 tests/orders/service_test.py "$ORDERS_BINARY"
