#!/usr/bin/env bash
# From a clean clone: the demo twice (the second fights nothing), the tests, calibration, accuracy and speeds.
set -euo pipefail
root=$(git rev-parse --show-toplevel)
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone --quiet "$root" "$clone"
cd "$clone"
make demo
make demo | tee second.txt
grep -q "40 done, 0 to fight" second.txt
make test test-long
make torture calibrate accuracy bench
test -z "$(git status --porcelain -- . ':!second.txt')"
echo "release check passed"
