#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./dev bench instructions [--help]: see instructions.py.
exec python3 "$(dirname "${BASH_SOURCE[0]}")/instructions.py" "$@"
