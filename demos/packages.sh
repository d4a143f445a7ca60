# SPDX-License-Identifier: LGPL-2.1-or-later
# To be sourced by bash scripts: installs what is missing of Debian's packages.

packages_missing ()
{
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# ensure_packages WHY PACKAGE...: returns at once where nothing is missing.
ensure_packages ()
{
  local why=$1 missing as_root=() log
  shift

  # Elsewhere than on Debian and its kin, meson says what it does not find.
  command -v dpkg-query >/dev/null || return 0
  mapfile -t missing < <(packages_missing "$@")
  [ ${#missing[@]} -gt 0 ] || return 0

  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      cat >&2 <<MESSAGE
Some of Debian's packages are missing, and installing them takes root.
They are needed $why.
Ask someone who may, to run this once:

  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}
MESSAGE
      return 1
    fi
    as_root=(sudo)
  fi

  echo "Installing from Debian's packages, $why: ${missing[*]}" >&2
  log=$(mktemp)
  if ! { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
         "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
           apt-get -q install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
