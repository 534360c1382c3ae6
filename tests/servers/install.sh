#!/bin/sh
# Installs the real servers that the tests start themselves. Debian 12, as root, no questions asked.
#   install.sh [packages] [weaviate] [docker]      the first two unless named; what is there already is left alone
set -eu
exec </dev/null
module=github.com/weaviate/weaviate
version=v1.39.0

packages() {
  apt postgresql-15 postgresql-15-partman postgresql-15-cron redis-server influxdb python3-venv openssl chromium
}

# For `make test-containers` where no engine runs; debootstrap makes the base of the stand-in images.
docker() {
  apt docker.io debootstrap
}

apt() {
  missing=""
  for package; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  export DEBIAN_FRONTEND=noninteractive
  # No cluster and no service of the packages' own: the tests start what they need, and stop it.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
  policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; made=yes; }
  apt-get update -qq
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >/dev/null
  [ "${made:-}" != yes ] || rm -f "$policy"
}

# Built from source by Go, some six minutes the first time; the binary stays in $(go env GOPATH)/bin.
weaviate() {
  go=$(command -v go || echo /usr/local/go/bin/go)
  [ -x "$go" ] || { echo "no Go: install Go 1.21 or newer (https://go.dev/dl), which builds weaviate-server" >&2; exit 3; }
  built=$("$go" env GOPATH)/bin/weaviate-server
  "$go" version -m "$built" 2>/dev/null | grep -q "mod[[:space:]]$module[[:space:]]$version" && return 0
  echo "building weaviate-server $version with $("$go" version | cut -d' ' -f3) …"
  "$go" install "$module/cmd/weaviate-server@$version" 2>"${TMPDIR:-/tmp}/weaviate-build.$$" || {
    grep -v '^go: downloading' "${TMPDIR:-/tmp}/weaviate-build.$$" >&2; exit 4; }
  rm -f "${TMPDIR:-/tmp}/weaviate-build.$$"
}

[ $# -gt 0 ] || set -- packages weaviate
for part; do
  case $part in
  packages | weaviate | docker) "$part" ;;
  *) echo "usage: $0 [packages] [weaviate] [docker]" >&2; exit 2 ;;
  esac
done
