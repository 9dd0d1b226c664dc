#!/usr/bin/env bash
# Builds everything and runs the tests.
#   tests/run.sh          the fast ones
#   tests/run.sh --all    the slow ones too, as continuous integration does
# The last line counts them: 'N passed, N failed, N skipped'.
set -uo pipefail
cd "$(dirname "$0")/.."

filter=(--filter 'Speed!=slow')
[ "${1:-}" = --all ] && filter=()

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
bash eng/setup.sh test || exit 1
dotnet build EditorBridge.sln -c Release || exit 1

log=$(mktemp)
results=$(mktemp -d)
trap 'rm -rf "$log" "$results"' EXIT
# No test is silent for so long, nor waits for anything longer: one that is hangs, and is named.
silence=(--blame-hang-timeout 30m --blame-hang-dump-type none --results-directory "$results")
status=0
for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  [ "$name" = EditorBridge.Benchmarks ] && continue
  started=$SECONDS
  echo "== $name"
  dotnet test "$project" -c Release --no-build "${filter[@]}" "${silence[@]}" 2>&1 | tee -a "$log"
  code=${PIPESTATUS[0]}
  if [ "$code" -ne 0 ]; then
    status=1
    # A test host that died reports no count: it is one failure more.
    grep -q -- "- $name.dll" "$log" || echo "Failed!  - Failed:     1, Passed:     0, Skipped:     0, Total:     1 - $name.dll" >>"$log"
  fi
  echo "   $((SECONDS - started)) s"
done

# Premiere's panel is TypeScript: its tests run in Node.js, the slow ones in a browser.
echo "== premiere panel"
started=$SECONDS
panel_log=$(mktemp)
trap 'rm -rf "$log" "$results" "$panel_log"' EXIT
panel_tests=test
[ "${1:-}" = --all ] && panel_tests=test:all
(cd plugin-manifests/premiere && npm ci --ignore-scripts --loglevel=error && REPORTER=tap npm run --silent "$panel_tests") 2>&1 | tee "$panel_log"
code=${PIPESTATUS[0]}
[ "$code" -ne 0 ] && status=1
awk -v code="$code" '/^# pass / { passed = $3 } /^# fail / { failed = $3 } /^# cancelled / { failed += $3 } /^# skipped / { skipped = $3 }
  # Where nothing was counted, or all that was counted passed and yet it failed, that is one failure more.
  END { if (code != 0 && failed + 0 == 0) failed = 1
    printf "%s!  - Failed: %d, Passed: %d, Skipped: %d - premiere panel\n", failed ? "Failed" : "Passed", failed, passed, skipped }' "$panel_log" | tee -a "$log"
echo "   $((SECONDS - started)) s"

if [ "${1:-}" = --all ]; then
  # The benchmarks measure nothing here; whether they run is seen with networks of a few kilobytes.
  echo "== EditorBridge.Benchmarks"
  small=$(mktemp -d)
  if dotnet run --project tests/EditorBridge.Benchmarks -c Release --no-build -- --small --runs 1 --device cpu --folder "$small" --json "$small/figures.json"; then
    echo "Passed!  - Failed:     0, Passed:     1, Skipped:     0, Total:     1 - EditorBridge.Benchmarks.dll" >>"$log"
  else
    status=1
    echo "Failed!  - Failed:     1, Passed:     0, Skipped:     0, Total:     1 - EditorBridge.Benchmarks.dll" >>"$log"
  fi
  rm -rf "$small"
fi

# Once more where it is found: a log may be cut to its end.
if [ "$status" -ne 0 ]; then
  echo "== What failed"
  grep -hE -A 15 '^ +Failed [A-Za-z]|^ *not ok|^The tests? running when' "$log" "$panel_log" | cut -c 1-400 | head -200
fi

awk -F'[:,]' '/^(Passed|Failed|Skipped)! +- Failed:/ { failed += $2; passed += $4; skipped += $6 }
  END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$log"
exit $status
