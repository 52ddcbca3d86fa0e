#!/usr/bin/env bash
# Runs a script of this folder by the first Python of the path that archlint runs on.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for python in python3 python; do
  if "$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    exec "$python" -E -X utf8 "$here/$1"
  fi
done
echo "::error title=archlint::there is no Python 3.11 or newer on the path; give the input python-version"
exit 2
