#!/bin/sh
# Installs the real servers that the tests start themselves. Debian 12, as root, no questions asked.
set -eu
exec </dev/null
export DEBIAN_FRONTEND=noninteractive
missing=""
for package in postgresql-15 postgresql-15-partman postgresql-15-cron redis-server python3-venv openssl; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
# No cluster and no service of the packages' own: the tests start what they need, and stop it.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
policy=/usr/sbin/policy-rc.d
[ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; made=yes; }
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
[ "${made:-}" != yes ] || rm -f "$policy"
