#!/usr/bin/env bash
# Installs the C interface: the header, the shared and the static library, and the file of pkg-config.
#
#     capi/scripts/install.sh /usr/local             builds it first
#     capi/scripts/install.sh /usr/local FOLDER      takes the libraries that cargo has put into FOLDER
#
# Needs cargo for the first form alone. The shared library is called by the version of its ABI, as GANNET_ABI_VERSION has it.
set -euo pipefail

if (($# < 1 || $# > 2)); then
    echo "give the folder to install to, for instance /usr/local" >&2
    exit 2
fi
prefix=$1
capi=$(cd "$(dirname "$0")/.." && pwd)

if (($# == 2)); then
    built=$2
else
    built=$(mktemp -d)
    trap 'rm -rf "$built"' EXIT
    (cd "$capi" && cargo build --release --package gannet-capi --target-dir "$capi/../target")
    cp "$capi"/../target/release/libgannet_capi.* "$built"
fi

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$capi/../Cargo.toml" | head -n 1)
abi=$(sed -n 's/^#define GANNET_ABI_VERSION \(.*\)$/\1/p' "$capi/include/gannet.h")
# What a program needs beside the static library (`rustc --print native-static-libs`).
static_libs="-lgcc_s -lutil -lrt -lpthread -lm -ldl"

mkdir -p "$prefix/include" "$prefix/lib/pkgconfig"
prefix=$(cd "$prefix" && pwd)
install -m 644 "$capi/include/gannet.h" "$prefix/include/gannet.h"
install -m 644 "$built/libgannet_capi.a" "$prefix/lib/libgannet.a"
install -m 755 "$built/libgannet_capi.so" "$prefix/lib/libgannet.so.$abi"
ln -sf "libgannet.so.$abi" "$prefix/lib/libgannet.so"
sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$version|" -e "s|@STATIC_LIBS@|$static_libs|" \
    "$capi/gannet.pc.in" >"$prefix/lib/pkgconfig/gannet.pc"
