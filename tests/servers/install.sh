#!/bin/sh
# Installs the real servers that the tests start themselves. Debian 12, as root, no questions asked.
#   install.sh [packages] [weaviate] [influxd2] [actionlint] [docker]      the first four unless named; what is there already is left alone
set -eu
exec </dev/null

packages() {
  apt postgresql-15 postgresql-15-partman postgresql-15-cron pgbouncer redis-server influxdb python3-venv openssl chromium
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

# Both are built from source, some six minutes each the first time; the binaries stay in $(go env GOPATH)/bin.
weaviate() {
  module=github.com/weaviate/weaviate version=v1.39.0
  has weaviate-server "mod[[:space:]]$module[[:space:]]$version" && return 0
  building "weaviate-server $version" "$go" install "$module/cmd/weaviate-server@$version"
}

# `go install` refuses this module, whose go.mod replaces another one: a module of ours repeats that line. The Rust half is
# built by its authors' pkg-config; it asks for an old Rust, and denies the warnings that a newer one has.
influxd2() {
  module=github.com/influxdata/influxdb/v2 version=v2.7.12
  has influxd2 "mod[[:space:]]$module[[:space:]]$version" && return 0
  cargo=$(command -v cargo || echo "$HOME/.cargo/bin/cargo")
  [ -x "$cargo" ] || { echo "no Rust: install it (https://rustup.rs), it builds a part of influxd2" >&2; exit 3; }
  command -v cc >/dev/null || { echo "no C compiler: apt-get install gcc libc6-dev, influxd2 is linked with it" >&2; exit 3; }
  folder=$(mktemp -d)
  printf '#!/bin/sh\ncase " $* " in *" --cap-lints "*) exec "$@" ;; *) exec "$@" --cap-lints warn ;; esac\n' >"$folder/rustc"
  chmod +x "$folder/rustc"
  cat >"$folder/go.mod" <<MODULE
module testserver
go 1.23.0
require $module $version
replace github.com/nats-io/nats-streaming-server v0.11.2 => github.com/influxdata/nats-streaming-server v0.11.3-0.20201112040610-c277f7560803
MODULE
  export GOFLAGS=-mod=mod RUSTC_WRAPPER="$folder/rustc"
  PATH=$(dirname "$cargo"):$PATH
  toolchain=$(rustup toolchain list 2>/dev/null | awk 'NR == 1 {print $1}')
  [ -z "$toolchain" ] || export RUSTUP_TOOLCHAIN="$toolchain"
  cd "$folder"
  building pkg-config env GOBIN="$folder" "$go" install github.com/influxdata/pkg-config@v0.2.14
  building "influxd2 $version" env PKG_CONFIG="$folder/pkg-config" "$go" build -tags sqlite_foreign_keys,sqlite_json \
    -ldflags "-s -w -X main.version=$version" -o "$built" "$module/cmd/influxd"
  cd - >/dev/null
  rm -rf "$folder"
}

# No server: it reads the workflows of .github and docs/ci.md.
actionlint() {
  module=github.com/rhysd/actionlint version=v1.7.12
  has actionlint "mod[[:space:]]$module[[:space:]]$version" && return 0
  building "actionlint $version" "$go" install "$module/cmd/actionlint@$version"
}

# Whether a binary was built from that module; sets `go` and `built`.
has() {
  go=$(command -v go || echo /usr/local/go/bin/go)
  [ -x "$go" ] || { echo "no Go: install Go 1.23 or newer (https://go.dev/dl), which builds $1" >&2; exit 3; }
  built=$("$go" env GOPATH)/bin/$1
  "$go" version -m "$built" 2>/dev/null | grep -q "$2"
}

# Runs a command that builds; what it says is shown when it fails.
building() {
  echo "building $1 with $("$go" version | cut -d' ' -f3) …"
  shift
  log=$(mktemp)
  "$@" 2>"$log" || { grep -v '^go: downloading' "$log" >&2; exit 4; }
  rm -f "$log"
}

[ $# -gt 0 ] || set -- packages weaviate influxd2 actionlint
for part; do
  case $part in
  packages | weaviate | influxd2 | actionlint | docker) "$part" ;;
  *) echo "usage: $0 [packages] [weaviate] [influxd2] [actionlint] [docker]" >&2; exit 2 ;;
  esac
done
