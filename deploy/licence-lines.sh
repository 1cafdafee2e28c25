#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Every hand-written file names its licence in its first lines; REUSE.toml speaks for those that cannot.
set -eu
bare=$(git ls-files '*.go' '*.graphql' '*.sql' '*.sh' '*.md' '*.yml' '*.yaml' '*.ts' '*.tsx' '*.js' '*.mjs' '*.css' '*.html' '*.tmpl' Makefile |
  grep -v -e '^portal/dist/' | xargs grep -L -e 'SPDX-License-Identifier: EUPL-1.2' || true)
[ -z "$bare" ] || { echo "without the licence line:"; echo "$bare"; exit 1; }
