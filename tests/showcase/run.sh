#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The showcase as a program on real sockets, with each engine: curl on every route, bytes on the wire (pipelining, drip,
# HTTP/1.0, malformed input), start and stop. SPATE_SHOWCASE names another binary, SPATE_ENGINES other engines.
# Ends with `N passed, N failed`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
binary=${SPATE_SHOWCASE:-$here/../../build/release/bin/spate-showcase}
[[ -x $binary ]] || { echo "showcase: no program at $binary; build it: ./dev build release --target spate-showcase" >&2; exit 2; }
command -v curl >/dev/null || { echo "showcase: no curl; install it: ./dev setup test" >&2; exit 2; }
# shellcheck disable=SC2086  # several engines, split on purpose
exec python3 -B "$here/main.py" "$binary" ${SPATE_ENGINES:-epoll}
