#!/usr/bin/env bash
# From a fresh clone to three timelines with a generated clip each: finds or installs ffmpeg, builds, makes the footage, runs the three jobs
# with the shipped model, and draws a contact sheet of every clip. Nothing is downloaded but packages; no GPU, no account.
set -euo pipefail
cd "$(dirname "$0")/.."

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
started=$SECONDS
bash eng/setup.sh run

echo "Building (the first time restores the packages, libtorch among them: 600 MB)."
for project in Cli Host Worker Training; do
  dotnet build "src/EditorBridge.$project" -c Release -v quiet -clp:NoSummary
done

echo "Making the footage."
bash samples/make-media.sh

out=samples/out
mkdir -p $out
editorbridge() { artifacts/bin/EditorBridge.Cli/release/editorbridge "$@"; }

fill="a red hot-air balloon rises over green hills at noon"
extend="a red sailing boat on the sea at sunset, the camera pans right"
broll="snowy mountains at noon under a clear blue sky, the camera pans left"

# job NAME VERB ARGUMENTS...: one job, from the sample's timeline to $out.
job() {
  local name=$1 verb=$2
  shift 2
  rm -rf "$out/$name.otio" "$out/$name-media"
  echo
  echo "== $verb: samples/$name.otio"
  editorbridge "$verb" --timeline "samples/$name.otio" --out "$out/$name.otio" --media-dir "$out/$name-media" --seed 7 "$@"
  for clip in "$out/$name-media"/*.m[op][v4]; do
    ffmpeg -v error -y -i "$clip" -vf "select='not(mod(n,4))',scale=240:-2,tile=6x2" -frames:v 1 -vsync vfr "${clip%.*}.png"
  done
}

job fill fill --gap 1 --prompt "$fill"
job extend extend --clip Boat --frames 36 --prompt "$extend"
job broll broll --in 01:00:01:12 --out-point 01:00:03:12 --prompt "$broll"

echo
echo "Done in $((SECONDS - started)) s. The timelines, clips and contact sheets:"
ls $out/*.otio $out/*-media/*
