#!/bin/sh
# Runs one suite: run.sh node NAME.mjs | run.sh PYTHON NAME.py
# What is missing fails the test, and says what to do.
set -eu

missing() {
  echo "$1 is missing; run ./dev bootstrap" >&2
  exit 1
}

[ -x "$CALLBOARD_PROGRAM" ] || missing "$CALLBOARD_PROGRAM"
command -v "$1" >/dev/null || missing "$1"
case $1 in
  node)
    for package in ws @msgpack/msgpack playwright-core; do
      [ -e "node_modules/$package/package.json" ] ||
        missing "the npm package $package"
    done
    case $2 in
      sdk* | examples* | cluster_rolling*)
        sdk=../../clients/js/dist/esm/index.js
        [ -e "$sdk" ] || missing "$sdk"
        ;;
    esac
    set -- node --test-reporter=spec "$2"
    case $3 in
      cluster_partitions*)
        # In a network of its own. Where there can be none, it says so itself,
        # and ends with 77.
        for words in --net '--net --map-root-user'; do
          # shellcheck disable=SC2086
          ! unshare $words true 2>/dev/null || exec unshare $words "$@"
        done
        ;;
    esac
    exec "$@"
    ;;
  *)
    "$1" -c 'import websockets, msgpack' 2>/dev/null ||
      missing "python3-websockets or python3-msgpack"
    exec "$1" "$2"
    ;;
esac
