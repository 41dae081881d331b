# Shared by script/backup and script/restore; sourced, never run.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
unset "${!PG@}"

backup_magic="drplatform-backup 1"
backup_members='database.dump clock.anchor admin.token'
bin=${DR_PGBIN:-/usr/lib/postgresql/15/bin}
started=

# Sets `home` (the data folder, or nothing), `private` (its own Postgres is meant) and `given` (another one's address).
choose_source() {
  home='' private='' given=''
  case $1 in
    '')
      read_configuration
      home=$(data_dir)
      given=${DR_DATABASE_URL:-}
      ;;
    *://* | *=*) given=$1 ;;
    *) home=$(realpath -m -- "$1") ;;
  esac
  [ -n "$given" ] || private=1
}

# The pid of the server that holds the data folder's pid file; fails when there is none.
running_server() {
  is_held "$home/drplatform.pid" || return 1
  head -n 1 "$home/drplatform.pid"
}

# Sets `url` (for the server's programs) and `connection` (the same without its password, which goes through the
# environment: the process list is everybody's). Starts the private Postgres when it is not running.
open_database() {
  if [ -n "$private" ]; then
    [ -s "$home/postgres.path" ] || die "there is no database in $home"
    if ! "$root/script/postgres" status "$home" >/dev/null; then
      "$root/script/postgres" start "$home"
      started=1
    fi
    url=$("$root/script/postgres" url "$home")
    connection=$url
    return
  fi
  url=$given connection=$given
  local rest
  if [[ $url =~ ^(postgres(ql)?://)([^/@:?]*):([^/@?]*)@(.*)$ ]]; then
    connection="${BASH_REMATCH[1]}${BASH_REMATCH[3]}@${BASH_REMATCH[5]}"
    rest=${BASH_REMATCH[4]}
    PGPASSWORD=$(printf '%b' "${rest//%/\\x}")
    export PGPASSWORD
  elif [[ $url =~ ^(.*[[:space:]])?password=(\'[^\']*\'|[^[:space:]\']+)(.*)$ ]]; then
    connection="${BASH_REMATCH[1]}${BASH_REMATCH[3]}"
    rest=${BASH_REMATCH[2]#\'}
    PGPASSWORD=${rest%\'}
    export PGPASSWORD
  elif [[ $url == *password=* ]]; then
    die "give the password of the database before its host (user:password@host), or in a passfile"
  fi
}

# Stops the private Postgres if we started it and nobody came to use it.
release_database() {
  [ -n "$started" ] || return 0
  started=
  take_start_lock "$home" || return 0
  if is_held "$home/launcher.pid" || running_server >/dev/null; then return 0; fi
  "$root/script/postgres" stop "$home"
}

client() { (cd / && PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-10} LC_ALL=C.UTF-8 exec "$bin/$@"); }
client_of_files() { (LC_ALL=C.UTF-8 exec "$bin/$@"); }
query() { client psql -X -q -At -v ON_ERROR_STOP=1 --dbname="$connection" --command="$1"; }

has_member() { [[ " $members " == *" $1 "* ]]; }

# Refuses what is no whole backup; sets `members` (what it holds) and `made`.
check_backup() {
  local file=$1 listing manifest sums sum name schema known
  members=''
  [ -f "$file" ] || die "there is no file $file"
  listing=$(tar --list --file="$file" 2>/dev/null) || listing=${listing:-}
  [ "$(head -n 1 <<<"$listing")" = manifest ] || die "$file is not a backup of the DR Platform; nothing was changed"
  manifest=$(tar --extract --to-stdout --file="$file" manifest 2>/dev/null) || manifest=${manifest:-}
  [ "$(head -n 1 <<<"$manifest")" = "$backup_magic" ] ||
    die "$file is not a backup of the DR Platform that this release knows; nothing was changed"
  made=$(sed -n 's/^made //p' <<<"$manifest")
  schema=$(sed -n 's/^schema //p' <<<"$manifest")
  sums=$(sed -n '4,$p' <<<"$manifest")
  grep -q '  database\.dump$' <<<"$sums" || die "$file is damaged: its list is not whole; nothing was changed"
  while read -r sum name; do
    [[ " $backup_members " == *" $name "* ]] || die "$file is damaged: it lists $name; nothing was changed"
    [ "$(tar --extract --to-stdout --file="$file" "$name" 2>/dev/null | sha256sum | cut -d' ' -f1)" = "$sum" ] ||
      die "$file is damaged: $name is not what was written; nothing was changed"
    members+=" $name"
  done <<<"$sums"
  known=$(find "$root/storage/migrations" -name 'V[0-9][0-9][0-9]__*.sql' -printf '%f\n' | sort | tail -n 1)
  known=$((10#${known:1:3}))
  [[ $schema =~ ^[0-9]+$ ]] && [ "$schema" -le "$known" ] ||
    die "$file has schema version $schema and this release knows $known: use the release that made it; nothing was changed"
}
