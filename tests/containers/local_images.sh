#!/usr/bin/env bash
# Builds stand-in images for the container tests where no image registry answers, from Debian's own packages.
# Needs root, a running Docker engine, the package mirrors and, for the base, debootstrap. A tag that exists is kept.
#   local_images.sh [python] [postgres] [redis] [influxdb] [influxdb2] [weaviate]     all unless named; FORCE=1 builds anew
#   weaviate-server and influxd2 are those on PATH or in $(go env GOPATH)/bin; WEAVIATE_BIN and INFLUXD2_BIN name others
set -euo pipefail
SUITE=${SUITE:-bookworm}
# This machine's own mirror.
MIRROR=${MIRROR:-$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources)}
BASE=local/debian:$SUITE
WANT=("$@")
[ ${#WANT[@]} -gt 0 ] || WANT=(python postgres redis influxdb influxdb2 weaviate)
CONTEXT=$(mktemp -d "${TMPDIR:-/tmp}/local-images.XXXXXX")
trap 'rm -rf --one-file-system "$CONTEXT"' EXIT
CLEAN='rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb'
INSTALL='apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends'

have() { [ -z "${FORCE:-}" ] && docker image inspect "$1" >/dev/null 2>&1; }
say() { printf '%-22s %s\n' "$1" "$2"; }

base() {
  docker image inspect "$BASE" >/dev/null 2>&1 && return 0
  command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2; exit 3; }
  local began=$SECONDS
  debootstrap --variant=minbase "$SUITE" "$CONTEXT/root" "$MIRROR" >"$CONTEXT/debootstrap.log" 2>&1 ||
    { tail -5 "$CONTEXT/debootstrap.log" >&2; exit 3; }
  printf 'deb %s-security %s-security main\n' "$MIRROR" "$SUITE" >>"$CONTEXT/root/etc/apt/sources.list"
  rm -rf "$CONTEXT"/root/var/cache/apt/archives/*.deb "$CONTEXT"/root/var/lib/apt/lists/*
  tar -C "$CONTEXT/root" -c . | docker import - "$BASE" >/dev/null
  rm -rf --one-file-system "$CONTEXT/root"
  say "$BASE" "built in $((SECONDS - began)) s"
}

build() { # name tag: the Dockerfile and its files are in $CONTEXT/<name>
  local began=$SECONDS
  # The default bridge need not have a way to the mirrors; the host has.
  docker build --network=host -q -t "$2" "$CONTEXT/$1" 2>"$CONTEXT/$1.err" >/dev/null ||
    { tail -20 "$CONTEXT/$1.err" >&2; exit 4; }
  say "$2" "built in $((SECONDS - began)) s"
}

python() {
  local tag=local/python:$SUITE
  have $tag && { say $tag present; return; }
  base
  mkdir "$CONTEXT/python"
  printf 'FROM %s\nRUN %s python3-venv >/dev/null && %s\n' "$BASE" "$INSTALL" "$CLEAN" >"$CONTEXT/python/Dockerfile"
  build python $tag
}

postgres() {
  local tag=local/postgres:15
  have $tag && { say $tag present; return; }
  base
  mkdir "$CONTEXT/postgres"
  cd "$CONTEXT/postgres"
  cat >entrypoint.sh <<'EOS'
#!/bin/bash
# The part of the official image's contract that the tests rely on.
set -euo pipefail
case "${1:-}" in -* | '') set -- postgres "$@" ;; esac
[ "$1" = postgres ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres: "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?POSTGRES_PASSWORD must be set}"
  POSTGRES_USER=${POSTGRES_USER:-postgres}
  POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
  initdb -D "$PGDATA" -U "$POSTGRES_USER" -A scram-sha-256 -E UTF8 --locale=C.UTF-8 --no-sync \
    --pwfile=<(printf %s "$POSTGRES_PASSWORD") >/dev/null
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  cat >>"$PGDATA/postgresql.conf" <<EOC
listen_addresses = '*'
shared_preload_libraries = 'pg_cron,pg_partman_bgw,pg_stat_statements'
cron.database_name = '$POSTGRES_DB'
cron.use_background_workers = on  # else jobs connect through libpq and need a password
EOC
  [ "$POSTGRES_DB" = postgres ] || echo "create database \"$POSTGRES_DB\";" |
    postgres --single -jE -D "$PGDATA" -c shared_preload_libraries= postgres >/dev/null
fi
exec "$@"
EOS
  chmod 755 entrypoint.sh
  cat >Dockerfile <<EOD
FROM $BASE
ENV PGDATA=/var/lib/postgresql/data PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8
RUN mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf \\
 && $INSTALL postgresql-15 postgresql-15-partman postgresql-15-cron >/dev/null && $CLEAN
COPY entrypoint.sh /usr/local/bin/entrypoint.sh
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["/usr/local/bin/entrypoint.sh"]
CMD ["postgres"]
EOD
  build postgres $tag
}

redis() {
  local tag=local/redis:7
  have $tag && { say $tag present; return; }
  base
  mkdir "$CONTEXT/redis"
  cd "$CONTEXT/redis"
  cat >entrypoint.sh <<'EOS'
#!/bin/sh
set -e
case "${1:-}" in -* | *.conf | '') set -- redis-server "$@" ;; esac
[ "$1" = redis-server ] && { shift; exec redis-server "$@" --bind 0.0.0.0 --protected-mode no --dir /data; }
exec "$@"
EOS
  chmod 755 entrypoint.sh
  cat >Dockerfile <<EOD
FROM $BASE
RUN $INSTALL redis-server >/dev/null && $CLEAN && mkdir -p /data
COPY entrypoint.sh /usr/local/bin/entrypoint.sh
VOLUME /data
WORKDIR /data
EXPOSE 6379
ENTRYPOINT ["/usr/local/bin/entrypoint.sh"]
CMD ["redis-server"]
EOD
  build redis $tag
}

influxdb() {
  local tag=local/influxdb:1.6
  have $tag && { say $tag present; return; }
  base
  mkdir "$CONTEXT/influxdb"
  cd "$CONTEXT/influxdb"
  cat >entrypoint.sh <<'EOS'
#!/bin/bash
set -euo pipefail
case "${1:-}" in -* | '') set -- influxd "$@" ;; esac
if [ "$1" = influxd ] && [ ! -d /var/lib/influxdb/meta ] && [ -n "${INFLUXDB_DB:-}${INFLUXDB_ADMIN_USER:-}" ]; then
  INFLUXDB_HTTP_BIND_ADDRESS=127.0.0.1:8086 INFLUXDB_HTTP_AUTH_ENABLED=false "$@" >/dev/null 2>&1 &
  first=$!
  for _ in $(seq 200); do influx -execute 'show databases' >/dev/null 2>&1 && break; sleep .1; done
  [ -z "${INFLUXDB_ADMIN_USER:-}" ] || influx -execute \
    "CREATE USER \"$INFLUXDB_ADMIN_USER\" WITH PASSWORD '${INFLUXDB_ADMIN_PASSWORD:?}' WITH ALL PRIVILEGES"
  [ -z "${INFLUXDB_DB:-}" ] || influx -execute "CREATE DATABASE \"$INFLUXDB_DB\""
  kill -TERM $first
  wait $first || true
fi
exec "$@"
EOS
  chmod 755 entrypoint.sh
  cat >Dockerfile <<EOD
FROM $BASE
RUN $INSTALL influxdb influxdb-client >/dev/null && $CLEAN
COPY entrypoint.sh /usr/local/bin/entrypoint.sh
ENV INFLUXDB_META_DIR=/var/lib/influxdb/meta INFLUXDB_DATA_DIR=/var/lib/influxdb/data \\
    INFLUXDB_DATA_WAL_DIR=/var/lib/influxdb/wal INFLUXDB_REPORTING_DISABLED=true
VOLUME /var/lib/influxdb
EXPOSE 8086
ENTRYPOINT ["/usr/local/bin/entrypoint.sh"]
CMD ["influxd"]
EOD
  build influxdb $tag
}

built() { command -v "$1" || echo "$(go env GOPATH 2>/dev/null || echo ~/go)/bin/$1"; }

influxdb2() {
  local tag=local/influxdb:2.7 binary
  have $tag && { say $tag present; return; }
  binary=${INFLUXD2_BIN:-$(built influxd2)}
  [ -x "$binary" ] || { say $tag "not built: no influxd2 (sh tests/servers/install.sh influxd2)"; return; }
  base
  mkdir "$CONTEXT/influxdb2"
  cd "$CONTEXT/influxdb2"
  install -m 755 "$binary" influxd
  cat >entrypoint.sh <<'EOS'
#!/bin/bash
# Set up as the official image is, when it is first started; nobody else reaches the server before that.
set -euo pipefail
places=(--bolt-path=/var/lib/influxdb2/bolt --engine-path=/var/lib/influxdb2/engine --sqlite-path=/var/lib/influxdb2/sqlite)
if [ "${DOCKER_INFLUXDB_INIT_MODE:-}" = setup ] && [ ! -e /var/lib/influxdb2/bolt ]; then
  influxd "${places[@]}" --http-bind-address=127.0.0.1:8086 >/dev/null 2>&1 &
  first=$!
  body=$(printf '{"username":"%s","password":"%s","org":"%s","bucket":"%s","token":"%s"}' "$DOCKER_INFLUXDB_INIT_USERNAME" \
    "$DOCKER_INFLUXDB_INIT_PASSWORD" "$DOCKER_INFLUXDB_INIT_ORG" "$DOCKER_INFLUXDB_INIT_BUCKET" "$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN")
  for _ in $(seq 200); do
    if { exec 3<>/dev/tcp/127.0.0.1/8086; } 2>/dev/null; then
      printf 'POST /api/v2/setup HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s' ${#body} "$body" >&3
      read -r _ status _ <&3 || true
      exec 3>&-
      [ "$status" != 201 ] || break
    fi
    sleep .1
  done
  kill -TERM $first
  wait $first || true
fi
exec influxd "${places[@]}" --reporting-disabled "$@"
EOS
  chmod 755 entrypoint.sh
  cat >Dockerfile <<EOD
FROM $BASE
COPY influxd /usr/local/bin/influxd
COPY entrypoint.sh /usr/local/bin/entrypoint.sh
VOLUME /var/lib/influxdb2
EXPOSE 8086
ENTRYPOINT ["/usr/local/bin/entrypoint.sh"]
EOD
  build influxdb2 $tag
}

weaviate() {
  local tag=local/weaviate:1.39 binary
  have $tag && { say $tag present; return; }
  binary=${WEAVIATE_BIN:-$(built weaviate-server)}
  [ -x "$binary" ] || { say $tag "not built: no weaviate-server (sh tests/servers/install.sh weaviate)"; return; }
  base
  mkdir "$CONTEXT/weaviate"
  cd "$CONTEXT/weaviate"
  install -m 755 "$binary" weaviate
  cat >Dockerfile <<EOD
FROM $BASE
COPY weaviate /bin/weaviate
ENV RAFT_TIMEOUTS_MULTIPLIER=1 DISABLE_TELEMETRY=true PERSISTENCE_DATA_PATH=/var/lib/weaviate
EXPOSE 8080 50051
ENTRYPOINT ["/bin/weaviate"]
CMD ["--host","0.0.0.0","--port","8080","--scheme","http"]
EOD
  build weaviate $tag
}

docker info >/dev/null 2>&1 || { echo "no Docker engine answers" >&2; exit 3; }
for each in "${WANT[@]}"; do
  case "$each" in
  python | postgres | redis | influxdb | influxdb2 | weaviate) ("$each") ;;
  *) echo "unknown image $each" >&2; exit 2 ;;
  esac
done
