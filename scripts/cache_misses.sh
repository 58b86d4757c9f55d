#!/usr/bin/env bash
# Counts, under cachegrind, what products and training steps cost on processors that need not be at hand: instructions, and data misses of
# the first and of the second level, for caches of given sizes. AVX2, one thread. Prints a Markdown table: instructions for each vector
# multiply-add, and misses for each 1,000 of them. Prefetches count as nothing.
#
#     scripts/cache_misses.sh                          the products of 1024x784 at 128 samples, and two steps: some ten minutes
#     scripts/cache_misses.sh 512x1024:128 mnist:100   these products and these steps (those of mnist: some minutes for each column)
#     PROCESSORS="Zen 4" scripts/cache_misses.sh ...   of these processors alone, commas between them
#     COUNTED=PATH scripts/cache_misses.sh             with a build of benches/counted.rs from elsewhere, such as an older commit (the
#                                                      path counts from the repository's root)
#
# Needs cargo, python3 and valgrind. The steps count the multiply-adds that gannet's formula names (docs/perf/method.md). valgrind knows
# no AVX-512: the engines that choose their instruction set themselves choose AVX2, too.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || { echo "valgrind is not installed" >&2; exit 2; }
# Name, and size, ways and line of each level.
processors=(
    "Zen 3:32768,8,64:524288,8,64"
    "Skylake client:32768,8,64:262144,4,64"
    "Zen 4:32768,8,64:1048576,8,64"
    "Zen 5:49152,12,64:1048576,16,64"
)
if [[ -n ${PROCESSORS:-} ]]; then
    wanted=()
    IFS=, read -ra names <<<"$PROCESSORS"
    for name in "${names[@]}"; do
        for processor in "${processors[@]}"; do [[ ${processor%%:*} != "$name" ]] || wanted+=("$processor"); done
    done
    ((${#wanted[@]} == ${#names[@]})) || { echo "PROCESSORS names one that is not known: $PROCESSORS" >&2; exit 2; }
    processors=("${wanted[@]}")
fi
cases=("$@")
((${#cases[@]})) || cases=(1024x784:128 circle:256 gaussian2d:32)

if [[ -z ${COUNTED:-} ]]; then
    COUNTED=$(cargo bench --quiet --bench counted --no-run --message-format=json-render-diagnostics |
        python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "counted": print(message["executable"])')
fi
[[ -x $COUNTED ]] || { echo "there is no build of benches/counted.rs at '$COUNTED'" >&2; exit 2; }

# counts FIRST SECOND WORD...: instructions, misses of the first level, of the second.
counts() {
    local first=$1 second=$2
    shift 2
    GANNET_ISA=avx2 GANNET_CACHES=${first%%,*},${second%%,*} valgrind --tool=cachegrind --cache-sim=yes \
        --D1="$first" --LL="$second" --I1=32768,8,64 --cachegrind-out-file=/dev/null --log-fd=9 "$COUNTED" "$@" 9>&1 >/dev/null |
        awk '/I +refs:/ { gsub(",", ""); i = $4 } /D1 +misses:/ { gsub(",", ""); d = $4 }
             /LLd misses:/ { gsub(",", ""); l = $4 } END { if (i == "" || d == "" || l == "") exit 1; print i, d, l }'
}

# row TITLE MULTIPLY_ADDS FEWER MORE WORD...: one row of the table; the words' last, a number of times, is left out.
row() {
    local title=$1 work=$2 fewer=$3 more=$4 cells="" first second a b
    shift 4
    for processor in "${processors[@]}"; do
        IFS=: read -r _ first second <<<"$processor"
        a=$(counts "$first" "$second" "$@" "$fewer") || { echo "$title: $COUNTED failed" >&2; exit 1; }
        b=$(counts "$first" "$second" "$@" "$more") || { echo "$title: $COUNTED failed" >&2; exit 1; }
        cells+=$(awk -v work="$work" -v times=$((more - fewer)) 'NR == 1 { i = $1; d = $2; l = $3 }
            NR == 2 { n = work * times; printf " %.2f / %.0f / %.1f |", ($1 - i) / n, 1000 * ($2 - d) / n, 1000 * ($3 - l) / n }' \
            <<<"$a"$'\n'"$b")
    done
    printf '| %s |%s\n' "$title" "$cells"
}

# work PRESET BATCH: vector multiply-adds of a step, from the FLOP of a sample: as in src/gan/presets.rs,
# work_of_a_step_is_that_of_the_formula.
work() {
    case $1 in
    circle) flop=$((12 * 10528 + 4 * 10272 + 6 * 608 + 2 * 576)) ;;
    gaussian2d) flop=$((12 * 260 + 4 * 220 + 6 * 4)) ;;
    mnist) flop=$((12 * 1458432 + 4 * 655616 + 6 * 1483776 + 2 * 1458176)) ;;
    *) echo "the steps of $1 are not known" >&2; exit 2 ;;
    esac
    echo $((flop * $2 / 16))
}

printf '| |'
for processor in "${processors[@]}"; do printf ' %s |' "${processor%%:*}"; done
printf '\n|---|'
for _ in "${processors[@]}"; do printf -- '---:|'; done
printf '\n'
for case in "${cases[@]}"; do
    IFS=: read -r what size <<<"$case"
    [[ $size =~ ^[0-9]+$ ]] || { echo "'$case' is neither OUTPUTSxINPUTS:SAMPLES nor PRESET:BATCH" >&2; exit 2; }
    case $what in
    [0-9]*x[0-9]*)
        for product in forward input weight; do
            for engine in native matrixmultiply gemm; do
                row "$what, $size, $product, $engine" $((${what%x*} * ${what#*x} * size / 8)) 1 3 \
                    product "$what" "$size" "$product" "$engine"
            done
        done
        ;;
    *)
        multiply_adds=$(work "$what" "$size")
        more=21
        [[ $what != mnist ]] || more=2
        for engine in native matrixmultiply; do
            row "step of $what, $size, $engine" "$multiply_adds" 1 "$more" step "$what" "$size" "$engine"
        done
        ;;
    esac
done
