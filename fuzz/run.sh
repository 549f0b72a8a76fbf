#!/usr/bin/env bash
# Runs libFuzzer targets one after the other and prints a line for each: what docs/reliability.md asks for.
#
# Usage: fuzz/run.sh BUILD_DIR WORK_DIR SECONDS TARGET...   (an hour each: 3600)
# New inputs are kept in WORK_DIR/TARGET; a finding lies in WORK_DIR/TARGET.finding-*, and its log beside it.
set -uo pipefail
build=$1 work=$2 seconds=$3
shift 3
corpus=$(cd "$(dirname "$0")" && pwd)/corpus
TIMEFORMAT='%0R %0U %0S'
for target in "$@"; do
    mkdir -p "$work/$target"
    log=$work/$target.log
    seeds=$corpus/$target
    [ -d "$seeds" ] || seeds=
    # shellcheck disable=SC2086
    read -r wall user system < <({ time "$build/fuzz_$target" -max_total_time="$seconds" -max_len=20000 -timeout=20 \
        -rss_limit_mb=3000 -print_final_stats=1 -artifact_prefix="$work/$target.finding-" \
        "$work/$target" $seeds > "$log" 2>&1; } 2>&1 | tail -1)
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)
    findings=$(compgen -G "$work/$target.finding-*" | wc -l)
    printf '%-18s wall_s %5s cpu_s %5s executions %10s edges %5s findings %s\n' \
        "$target" "$wall" "$((user + system))" "$executions" "$edges" "$findings"
done
