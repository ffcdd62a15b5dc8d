#!/bin/sh
# Runs one of the scripts here for ctest: run.sh SCRIPT [WORDS]
# What is missing fails the test, and says what to do.
set -eu

missing() {
  echo "$1 is missing; run ./dev bootstrap" >&2
  exit 1
}

command -v node >/dev/null || missing node
for package in esbuild typescript vitest @msgpack/msgpack; do
  [ -e "node_modules/$package/package.json" ] ||
    missing "the npm package $package"
done
exec node "$@"
