# Shared by the scripts in this folder; sourced, never run. Sets `root` to the project's top folder.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
me=$(basename "$0")

say() { printf '%s\n' "$*" >&2; }
die() {
  say "script/$me: $*"
  exit 1
}

# The data folder as an absolute path; relative ones count from where the user stands.
data_dir() {
  local dir=${DR_DATA_DIR:-$root/var}
  realpath -m -- "$dir"
}
