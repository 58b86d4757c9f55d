#!/usr/bin/env bash
# The portable instruction set where the compiler may use a fused multiply-add: then its results must be the same bits as those
# of AVX2 and AVX-512. Builds the engine and its tests for x86-64-v3 (AVX2 with FMA) in a target directory of its own, and runs
# the tests of the kernels and vectors, and those of the same bits for whole training runs.
#
# Needs cargo and a processor with AVX2 and FMA: elsewhere there is nothing to compare.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! grep -q '^flags.*\bavx2\b' /proc/cpuinfo || ! grep -q '^flags.*\bfma\b' /proc/cpuinfo; then
    echo "this processor lacks AVX2 with FMA" >&2
    exit 2
fi
export CARGO_TARGET_DIR=target/x86-64-v3 RUSTFLAGS="-C target-cpu=x86-64-v3"
test=(cargo test --release --package gannet)
"${test[@]}" --lib -- simd:: kernel:: gemm::
"${test[@]}" --test determinism native_results
