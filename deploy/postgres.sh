#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Makes sure that the binaries of PostgreSQL 15 or newer are on this machine. With a database URL configured there is nothing to do: the
# tests of walls, roles and migrations, which need a server of their own, then need them all the same.
set -eu
[ -n "${OZG_DATABASE_URL:-}" ] && exit 0
command -v initdb >/dev/null 2>&1 && exit 0
for bin in /usr/lib/postgresql/*/bin/initdb; do
  [ -x "$bin" ] && exit 0
done
may=""
if [ "$(id -u)" = 0 ]; then may="env"; elif sudo -n true 2>/dev/null; then may="sudo"; fi
if [ -n "$may" ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing PostgreSQL"
  # The package would start a cluster of its own; this house brings its own.
  $may mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" | $may tee /etc/postgresql-common/createcluster.conf >/dev/null
  $may apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $may apt-get install -y -qq --no-install-recommends postgresql >/dev/null
  exit 0
fi
echo "PostgreSQL 15 or newer is missing: install the package postgresql, or set OZG_DATABASE_URL." >&2
exit 1
