#!/usr/bin/env bash
# Finds what the project needs beyond the .NET SDK, and installs it from the system's packages where it can, saying so.
#   eng/setup.sh run     what the main command needs: ffmpeg
#   eng/setup.sh test    that, and what the tests drive: melt, Blender, Kdenlive and Shotcut (with an X server and a D-Bus of their own; about 150 MB to fetch, 420 MB on disk),
#                        zenity and kdialog (zenity brings WebKitGTK: 30 MB to fetch, 130 MB on disk),
#                        OpenShot and its library (61 MB to fetch, 143 MB on disk), Node.js and Chromium, Lua, Python, and the compiler that NativeAOT links with
set -euo pipefail

purpose=${1:-run}

if ! command -v dotnet >/dev/null || ! dotnet --list-sdks | grep -q '^1[0-9]\.'; then
  echo "The .NET 10 SDK was not found: install it (https://dot.net) and run this again." >&2
  exit 1
fi

missing=()
want() { # want PROGRAM PACKAGE...
  command -v "$1" >/dev/null && return 0
  shift
  missing+=("$@")
}

want ffmpeg ffmpeg
want ffprobe ffmpeg
if [ "$purpose" = test ]; then
  want melt melt
  want blender blender
  # Blender's panel is looked at on a screen of its own.
  want xvfb-run xvfb xauth
  # The companions are tested with the real programs, on a screen that nobody sees.
  want kdenlive kdenlive
  want shotcut shotcut
  want Xvfb xvfb
  want xdotool xdotool
  want xclip xclip
  # What they ask with.
  want zenity zenity
  want kdialog kdialog
  want dbus-daemon dbus-daemon
  want dbus-send dbus-bin
  # Premiere's panel is built and tested with them.
  want node nodejs
  want npm npm
  command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || [ -n "${EDITORBRIDGE_CHROMIUM:-}" ] || want chromium chromium
  command -v lua5.1 >/dev/null || want luajit luajit
  want python3 python3
  /usr/bin/python3 -c 'import openshot' 2>/dev/null || missing+=(python3-openshot)
  want openshot-qt openshot-qt
  command -v clang >/dev/null || want gcc gcc libc6-dev
  want readelf binutils
  [ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
fi

[ ${#missing[@]} -eq 0 ] && exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null; then as_root=(sudo); else
    echo "Missing: ${missing[*]}. Install them as root (apt-get install ${missing[*]}) and run this again." >&2
    exit 1
  fi
fi
if ! command -v apt-get >/dev/null; then
  echo "Missing: ${missing[*]}. This system has no apt-get: install them its own way and run this again." >&2
  exit 1
fi

echo "Installing ${missing[*]} from the system's packages."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
failed() {
  tail -n 20 "$log" >&2
  echo "apt-get could not install ${missing[*]}: the lines above say why." >&2
  exit 1
}
"${as_root[@]}" apt-get update >"$log" 2>&1 || failed

# Ubuntu has Chromium as a snap alone, which containers cannot run. Only slow tests need it, and they say so themselves.
if [[ " ${missing[*]} " == *" chromium "* ]] && ! apt-cache show chromium >/dev/null 2>&1; then
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -vx chromium)
  if command -v snap >/dev/null && "${as_root[@]}" snap install chromium >>"$log" 2>&1; then
    echo "Chromium is installed as a snap."
  else
    echo "Chromium is not among this system's packages. The slow tests of Premiere's panel need it or Google Chrome: install one of them, or name it in EDITORBRIDGE_CHROMIUM."
  fi
fi
[ ${#missing[@]} -eq 0 ] && exit 0

"${as_root[@]}" apt-get install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 || failed
