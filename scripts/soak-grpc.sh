#!/bin/bash
# soak-grpc.sh - gRPC calls of all kinds over a bad network to a server that is restarted again and again; everything checked.
#
#   scripts/soak-grpc.sh SECONDS [SEED]
#
# What it does and checks is said in homa4j-grpc/src/test/java/io/homa4j/grpc/Soak.java. Exit code 0: clean.
# JAVA_OPTIONS adds to the options of the JVM.
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
module=$root/homa4j-grpc
[ $# -ge 1 ] || { sed -n '2,/^set/{/^#/p}' "$0" >&2; exit 2; }

cd "$root"
paths=$(mktemp)
trap 'rm -f "$paths"' EXIT
# The last of the modules that are built on the way is the one that counts.
./mvnw -q test-compile dependency:build-classpath -pl homa4j-grpc -am -Dmdep.outputFile="$paths" >&2
"${JAVA_HOME:+$JAVA_HOME/bin/}java" -ea --enable-native-access=ALL-UNNAMED ${JAVA_OPTIONS:-} \
    -cp "$module/target/test-classes:$module/target/classes:$(cat "$paths")" io.homa4j.grpc.Soak "$@"
