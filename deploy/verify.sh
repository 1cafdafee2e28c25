#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Prints all generated code afresh into a copy of the tree and fails on any difference. The tree itself is not touched.
set -eu
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - --ignore-failed-read 2>/dev/null | tar -xf - -C "$copy"
(cd "$copy" && find ent -name '*.go' -exec grep -l '^// Code generated' {} + | xargs rm -f && rm -rf graph/generated graph/model && go generate ./ent ./graph)
status=0
for room in ent graph; do
  diff -rq "$room" "$copy/$room" || status=1
done
[ $status = 0 ] || { echo "printed code differs: run make generate" >&2; exit 1; }
echo "printed code is as printed"
