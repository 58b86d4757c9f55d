#!/usr/bin/env bash
# Runs all code that is `unsafe` under memory checks: a few minutes.
#
# 1. Guard pages (tests/guard_pages.rs): every kernel and every product on every instruction set of the machine, its operands
#    directly before and behind pages that cannot be touched. Part of `cargo test` as well.
# 2. valgrind's memcheck on the unit tests of the vectors, kernels, products, memory and threads, and on whole training steps of
#    every preset on two threads. valgrind 3.19 knows AVX2 and no AVX-512, and hides it: here `avx2` and `portable` run.
#
# AddressSanitizer needs a nightly compiler (`-Zsanitizer`), so it is not used. Needs cargo and valgrind, which is installed on
# Debian and its relatives if the user may do that.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v valgrind >/dev/null; then
    if ((EUID == 0)) && command -v apt-get >/dev/null; then
        apt-get update --quiet && apt-get install --quiet --yes valgrind
    else
        echo "valgrind is missing: sudo apt-get install valgrind" >&2
        exit 2
    fi
fi
# Errors end with a code that no failing test has.
memcheck=(valgrind --quiet --error-exitcode=99)

echo "=== guard pages"
cargo test --release --quiet --test guard_pages

echo "=== memcheck: the unit tests"
# The executable of the library's unit tests, as cargo names it.
tests=$(cargo test --profile profiling --package gannet --lib --no-run --message-format=json |
    python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["reason"] == "compiler-artifact" and message["profile"]["test"] and message["executable"]:
        print(message["executable"])')
# Left out: three tests of the sign of zero, which valgrind's emulation of `-(a * b) + c` gets wrong, and one of every shape.
PROPTEST_CASES=4 "${memcheck[@]}" "$tests" simd:: kernel:: gemm:: memory:: parallel:: \
    --skip simd::tests::operations_mean_what_they_say \
    --skip kernel::math::tests::special_values \
    --skip kernel::tests::loss::both_gradients_of_infinite \
    --skip gemm::tests::every_tail

echo "=== memcheck: whole steps"
cargo build --profile profiling --quiet --target-dir target
for case in circle:300 mixture1d:300 mixture1d-deep:300 gaussian2d:300 digits:130 mnist:20; do
    "${memcheck[@]}" target/profiling/gannet bench --engine native \
        --preset "${case%:*}" --batch "${case#*:}" --threads 2 --steps 2 --json >/dev/null
    echo "${case%:*}: nothing found"
done
