#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev bench compile_time: hello world at -O0 with both compilers, the median of three runs. Fails above 3 seconds.
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"
most=${1:-3}
cat >"$work/hello.cpp" <<'CPP'
#include <spate/spate.hpp>

int main(int argc, char** argv) {
  return spate::Server{}
      .get("/", [] { return "Hello, World!\n"; })
      .main(argc, argv);
}
CPP
bad=0
for compiler in g++ clang++-19; do
  "$compiler" -std=c++23 -O0 -I"$root/include" -c "$work/hello.cpp" -o "$work/hello.o"  # fills the page cache
  times=()
  for _ in 1 2 3; do
    before=$(date +%s%N)
    "$compiler" -std=c++23 -O0 -I"$root/include" -c "$work/hello.cpp" -o "$work/hello.o"
    times+=($((($(date +%s%N) - before) / 1000000)))
  done
  median=$(printf '%s\n' "${times[@]}" | sort -n | sed -n 2p)
  echo "hello world, $compiler -O0 -c: median $median ms of ${times[*]} (at most $most s)"
  ((median <= most * 1000)) || bad=1
done
exit $bad
