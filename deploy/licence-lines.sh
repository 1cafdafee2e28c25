#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Every file names its licence in its first lines; REUSE.toml speaks for those that cannot, and the licences for themselves.
set -eu
files="git ls-files --cached --others --exclude-standard --"
named=$({
  $files | xargs -d '\n' awk 'FNR <= 3 && /SPDX-License-Identifier: EUPL-1\.2/ { print FILENAME; nextfile }'
  sed -n 's/^ *"\(.*\)",$/:(glob)\1/p' REUSE.toml | xargs -d '\n' $files
  $files LICENSES LICENSE.EUPL
})
bare=$($files | grep -vxF "$named" || true)
[ -z "$bare" ] || { echo "without the licence line:"; echo "$bare"; exit 1; }
