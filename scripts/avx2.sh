#!/usr/bin/env bash
# cargo on a copy of this repository in which nothing uses more than AVX2, on processors that have more: gannet's kernels by GANNET_ISA,
# and what chooses for itself when it runs, matrixmultiply and gemm, by how it is built. So a row of a table compares AVX2 with AVX2.
#
#     scripts/avx2.sh bench --bench products
#     scripts/avx2.sh run --release -- bench --preset mnist --batch 1024 --engine native,matrixmultiply
#
# The copy and what is built from it stand in target/avx2, or where CARGO_TARGET_DIR says, in avx2.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/avx2
mkdir -p "$target/source"
# As in the work tree, changed or not; times are kept, so that cargo builds only what changed.
git ls-files -z | tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory "$target/source"
grep -q '^gemm = .*, "x86-v4"' Cargo.toml || { echo "Cargo.toml does not give gemm AVX-512 kernels any more" >&2; exit 2; }
# With the time of the original, so that it counts as unchanged the next time.
sed -i '/^gemm = /s/, "x86-v4"//' "$target/source/Cargo.toml"
touch -r Cargo.toml "$target/source/Cargo.toml"

cd "$target/source"
# matrixmultiply reads this when it is compiled: the only features that it may find.
export MMTEST_FEATURE=avx,avx2,fma GANNET_ISA=avx2 CARGO_TARGET_DIR=$target
exec cargo "$@"
