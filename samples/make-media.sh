#!/usr/bin/env bash
# Makes the footage of the sample timelines in samples/media: scenes of our own renderer, encoded as a camera would (H.264 with B-frames, timecode),
# and sound of ffmpeg's. A minute at most; what is there already stays.
#   samples/make-media.sh           what is missing
#   samples/make-media.sh --force   everything anew
set -euo pipefail
cd "$(dirname "$0")/.."
media=samples/media

shots=(interview.mov balloon-a.mov balloon-b.mov boat.mov harbour.mov music.wav)
if [ "${1:-}" != --force ]; then
  missing=0
  for shot in "${shots[@]}"; do [ -e "$media/$shot" ] || missing=1; done
  [ $missing -eq 0 ] && exit 0
fi

bash "$(dirname "$0")/../eng/setup.sh" run
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
project=src/EditorBridge.Training
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet build $project -c Release >"$work/build.log" 2>&1 || { tail -n 20 "$work/build.log" >&2; exit 1; }
mkdir -p "$media"

# shot NAME REEL TIMECODE SOUND RENDER-OPTIONS...: rendered to ProRes, then encoded as footage comes from cameras.
shot() {
  local name=$1 reel=$2 timecode=$3 sound=$4
  shift 4
  dotnet artifacts/bin/EditorBridge.Training/release/EditorBridge.Training.dll shot --codec ProRes422Hq --out "$work/$name.mov" --timecode "$timecode" "$@"
  local input=(-i "$work/$name.mov") output=(-map 0:v)
  if [ -n "$sound" ]; then
    input+=(-f lavfi -i "$sound")
    output+=(-map 1:a -c:a aac -b:a 96k -shortest)
  fi
  ffmpeg -v error -y "${input[@]}" "${output[@]}" -c:v libx264 -preset medium -crf 16 -g 48 -bf 2 -pix_fmt yuv420p \
    -color_range tv -colorspace bt709 -color_primaries bt709 -color_trc bt709 \
    -video_track_timescale 24000 -timecode "$timecode" -metadata:s:v:0 "reel_name=$reel" "$work/$name.done.mov"
  mv "$work/$name.done.mov" "$media/$name.mov"
  echo "made $media/$name.mov"
}

# One balloon, filmed twice: between the end of a and the start of b it rose for 48 frames that nobody has.
balloon=(--setting Hills --time Noon --weather Clouds --subject Balloon --colour Red --motion Up --shot-size Wide --camera Static --seed 3)
shot balloon-a A001 10:00:00:00 "" "${balloon[@]}" --start -96 --frames 60
shot balloon-b A002 10:04:10:00 "" "${balloon[@]}" --start 12 --frames 60
# A boat under way, the camera turning with it.
shot boat A003 11:15:00:00 "" --setting Sea --time Sunset --weather Clouds --subject Boat --colour Red --motion Right --shot-size Wide --camera PanRight --seed 7 --start -84 --frames 60
shot harbour A004 11:20:00:00 "" --setting City --time Sunset --weather Clear --subject None --shot-size Wide --camera PanRight --seed 5 --start -72 --frames 48
# Somebody speaks.
shot interview A005 12:00:00:00 "aevalsrc='0.12*sin(2*PI*(140+25*sin(2*PI*0.7*t))*t)*abs(sin(2*PI*1.9*t))':d=5" \
  --setting Field --time Noon --weather Clear --subject Person --colour Blue --motion Still --shot-size Medium --camera Static --seed 11 --start -60 --frames 120

ffmpeg -v error -y -f lavfi -i "aevalsrc='0.1*sin(2*PI*220*t)*exp(-2*mod(t,0.5))+0.08*sin(2*PI*330*t)*exp(-2*mod(t+0.25,0.5))':d=6:s=48000" -c:a pcm_s16le "$work/music.wav"
mv "$work/music.wav" "$media/music.wav"
