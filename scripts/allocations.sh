#!/usr/bin/env bash
# Counts, from outside, the allocations of training runs that differ in nothing but their number of steps: with the native
# engine the counts must be the same, at 1 and 2 threads, for every preset.
#
#     scripts/allocations.sh               1,000 and 11,000 steps: half a minute on two cores
#     scripts/allocations.sh 500 1500      other numbers of steps, 500 at least
#
# The wide networks take fewer: digits a 10th, mnist a 50th.
#
# Counts those of the program that the variable GANNET_PROGRAM names; without it, cargo builds one. Needs cargo, gcc and glibc.
set -euo pipefail
cd "$(dirname "$0")/.."

fewer=${1:-1000}
more=${2:-11000}
# `bench` cuts a run into up to 9 parts, each of which enters the worker team once: below 9 steps their number would differ.
if ((fewer < 500 || more <= fewer)); then
    echo "give two numbers of steps, 500 at least, the larger one last" >&2
    exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -O2 -Wall -Wextra -Werror -shared -fPIC -o "$work/counter.so" scripts/count_allocations.c
program=${GANNET_PROGRAM:-}
if [ -z "$program" ]; then
    cargo build --release --quiet --target-dir target
    program=target/release/gannet
fi

# counts ENGINE PRESET BATCH THREADS STEPS: the line that the counter prints.
counts() {
    LD_PRELOAD=$work/counter.so "$program" bench \
        --engine "$1" --preset "$2" --batch "$3" --threads "$4" --steps "$5" --json 2>&1 >/dev/null
}

# The counter counts: matrixmultiply allocates at each of its products.
if [[ $(counts matrixmultiply circle 200 1 10) == $(counts matrixmultiply circle 200 1 20) ]]; then
    echo "the counter does not see what matrixmultiply allocates" >&2
    exit 1
fi

failures=0
# More samples than a tile, so that two threads have work; wide networks share the work of any batch.
for case in circle:200:1 mixture1d:200:1 mixture1d-deep:200:1 gaussian2d:200:1 digits:200:10 mnist:16:50; do
    IFS=: read -r preset batch divisor <<<"$case"
    for threads in 1 2; do
        # On a busy machine a thread of a short run may come too late to look for jobs, for which the pool allocates once. What a
        # step allocates shows every time.
        for _ in 1 2 3; do
            first=$(counts native "$preset" "$batch" "$threads" $((fewer / divisor)))
            second=$(counts native "$preset" "$batch" "$threads" $((more / divisor)))
            [[ $first != "$second" ]] || break
        done
        if [[ $first == "$second" ]]; then
            printf '%-14s %s thread(s)  %6d and %6d steps: %s\n' \
                "$preset" "$threads" $((fewer / divisor)) $((more / divisor)) "$first"
        else
            printf '%-14s %s thread(s): the counts differ\n  %6d steps: %s\n  %6d steps: %s\n' \
                "$preset" "$threads" $((fewer / divisor)) "$first" $((more / divisor)) "$second" >&2
            failures=$((failures + 1))
        fi
    done
done
exit $((failures > 0))
