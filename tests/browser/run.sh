#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The showcase in a real browser: Chromium loads the page and clicks every example, and each answer must equal curl's.
# Screenshots go to build/browser/. SPATE_SHOWCASE names another binary, SPATE_CHROMIUM another browser.
# Ends with `N passed, N failed`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

binary=${SPATE_SHOWCASE:-$root/build/release/bin/spate-showcase}
browser=${SPATE_CHROMIUM:-$(command -v chromium || command -v google-chrome || true)}
[[ -x $binary ]] || { echo "browser: no program at $binary; build it: ./dev build release --target spate-showcase" >&2; exit 2; }
[[ -n $browser ]] || { echo "browser: no Chromium; install it: ./dev setup browser" >&2; exit 2; }
command -v node >/dev/null && command -v npm >/dev/null || { echo "browser: no node or npm; install them: ./dev setup test" >&2; exit 2; }

# playwright-core drives a browser that is there already; it downloads none.
if ! cmp -s "$here/package-lock.json" "$here/node_modules/.installed-from"; then
  (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  cp "$here/package-lock.json" "$here/node_modules/.installed-from"
fi

work=$root/build/browser
mkdir -p "$work"
server=
stop() {
  [[ -z $server ]] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
}
trap stop EXIT
"$binary" --listen 127.0.0.1:0 --workers 2 --drain-timeout 2 >"$work/server.out" 2>"$work/server.log" &
server=$!
url=
for _ in $(seq 100); do
  url=$(sed -n 's|^ *\(http://127.0.0.1:[0-9]*\)$|\1|p' "$work/server.out")
  [[ -z $url ]] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.05
done
[[ -n $url ]] || { echo "browser: the server did not start:" >&2; cat "$work/server.log" >&2; exit 1; }
node "$here/showcase.mjs" "$url" "$browser" "$work"
