# Shared by the scripts in this folder; sourced, never run. Sets `root` to the project's top folder.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
me=$(basename "$0")

say() { printf '%s\n' "$*" >&2; }
die() {
  say "script/$me: $*"
  exit 1
}

# Prints the comment that a script begins with, and ends it, when the first argument asks for help.
help_for() {
  case ${1:-} in
    -h | --help)
      sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$root/script/$me"
      exit 0
      ;;
  esac
}

# The program that the scripts call, built when it is missing.
need_program() {
  [ -x "${DR_BIN_DIR:-$root/build/release/bin}/drplatform" ] || "$root/script/build" release
}

# Takes the data folder and the database from a configuration file of the operator's own (DR_CONFIG), where the environment
# does not say them. A relative data folder counts from the top folder, as the default does. The database is for the script
# alone: the program reads the file itself, and so hears of a change at its next start.
read_configuration() {
  [ -n "${DR_CONFIG:-}" ] || return 0
  need_program
  DR_CONFIG=$(realpath -- "$DR_CONFIG")
  export DR_CONFIG
  local program said
  program=$(realpath -- "${DR_BIN_DIR:-$root/build/release/bin}/drplatform")
  said=$(cd "$root" && "$program" config --for-scripts) || exit
  export DR_DATA_DIR=${DR_DATA_DIR:-$(head -n 1 <<<"$said")}
  DR_DATABASE_URL=${DR_DATABASE_URL:-$(tail -n +2 <<<"$said")}
}

# The data folder as an absolute path; relative ones count from where the user stands.
data_dir() {
  local dir=${DR_DATA_DIR:-$root/var}
  realpath -m -- "$dir"
}

# Makes the data folder $1 where it is missing.
make_home() {
  [ -d "$1" ] && return
  # Root's private Postgres runs as the user postgres, who must be able to pass through.
  local mode=0700
  [ "$(id -u)" != 0 ] || mode=0711
  mkdir -p -m "$mode" -- "$1"
}

# Is the process that this pid file names still there, with the file open? Only for a process of one's own, or for root.
# (Trying its lock could get in the way of a start.)
is_held() {
  local pid
  pid=$(head -n 1 -- "$1" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ ]] || return 1
  grep -qxF -- "$1" < <(readlink -- "/proc/$pid/fd/"*)
}

# Takes start.lock of the data folder $1 until this script ends, as descriptor 8: whoever has it starts and stops the
# private Postgres. Fails when another script has it, or the file cannot be opened.
take_start_lock() {
  [ -e "$1/start.lock" ] || (umask 022 && : >>"$1/start.lock") || return
  { exec 8<"$1/start.lock"; } || return
  flock --nonblock 8
}
