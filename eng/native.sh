#!/usr/bin/env bash
# Builds the native library for the system it runs on and lays out what programs load:
#   artifacts/native/<system>/                  the library with its header, for C, ctypes and the like
#   artifacts/native/EditorBridge.ofx.bundle    the OpenFX plugin
#   eng/native.sh [--no-build] [--to FOLDER] [--merge BUNDLE]...
#     --no-build  takes what was built last    --to  another folder than artifacts/native    --merge  adds the binaries of a bundle from another system
# Linux is built and tested by the project; Windows (in Git's bash) and macOS take the same way and have never been tried.
set -euo pipefail
cd "$(dirname "$0")/.."

case "$(uname -s)" in
  Linux) system=linux place=Linux-$(uname -m | tr _ -) built=EditorBridge.Native.so library=libeditorbridge.so ;;
  Darwin) system=osx place=MacOS built=EditorBridge.Native.dylib library=libeditorbridge.dylib ;;
  MINGW* | MSYS*) system=win place=Win64 built=EditorBridge.Native.dll library=editorbridge.dll ;;
  *) echo "The native library is not built on $(uname -s): use Linux, Windows or macOS." >&2; exit 1 ;;
esac
case "$(uname -m)" in
  x86_64) machine=x64 ;;
  aarch64 | arm64) machine=arm64 ;;
  *) echo "The native library is not built for $(uname -m): use x64 or arm64." >&2; exit 1 ;;
esac
rid=$system-$machine

build=yes to=artifacts/native others=()
while [ $# -gt 0 ]; do
  case "$1" in
    --no-build) build=no; shift ;;
    --to) to=${2:?}; shift 2 ;;
    --merge) others+=("${2:?}"); shift 2 ;;
    *) echo "native.sh knows --no-build, --to FOLDER and --merge BUNDLE, not '$1'." >&2; exit 1 ;;
  esac
done
for other in "${others[@]}"; do
  [ -d "$other/Contents" ] || { echo "$other is no bundle: it has no folder Contents." >&2; exit 1; }
done

[ $build = no ] || dotnet publish src/EditorBridge.Native -c Release -r "$rid" -v quiet -nologo
publish=artifacts/publish/EditorBridge.Native/release_$rid/$built

mkdir -p "$to/$rid"
# Under another name first: a program that has the old one loaded keeps it.
cp -f "$publish" "$to/$rid/$library.new" && mv -f "$to/$rid/$library.new" "$to/$rid/$library"
cp -f src/EditorBridge.Native/editorbridge.h "$to/$rid/"

bundle=$to/EditorBridge.ofx.bundle
add() { # add BINARY PLACE
  mkdir -p "$bundle/Contents/$2"
  local target=$bundle/Contents/$2/EditorBridge.ofx
  # Two Macs' binaries become one that holds both.
  if [ "$2" = MacOS ] && [ -e "$target" ] && command -v lipo >/dev/null && ! lipo "$1" -verify_arch $(lipo -archs "$target") 2>/dev/null; then
    lipo -create "$1" "$target" -output "$target.new" && mv "$target.new" "$target"
  else
    cp -f "$1" "$target"
  fi
}
rm -rf "$bundle"
cp -R plugin-manifests/openfx/EditorBridge.ofx.bundle "$bundle"
add "$publish" "$place"
for other in "${others[@]}"; do
  for binary in "$other"/Contents/*/EditorBridge.ofx; do
    from=$(basename "$(dirname "$binary")")
    # What was just built here is newer than what came along from elsewhere.
    [ "$from" = "$place" ] && [ "$from" != MacOS ] && continue
    [ ! -e "$binary" ] || add "$binary" "$from"
  done
done
for binary in "$bundle"/Contents/*/EditorBridge.ofx; do echo "$binary $(wc -c <"$binary") bytes"; done
