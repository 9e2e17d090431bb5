#!/bin/bash
# xdp-netns.sh - the round trip of a small RPC past the kernel's network stack (datapath xdp) and by system calls, in turn.
#
#   scripts/xdp-netns.sh [--ipv6] [--rounds N] [--calls N] [--xdp OPTIONS]
#
#   client 10.81.1.2 ---- 10.81.1.1 server, each in a network namespace, joined by a veth pair
#          fd81:1::2 ---- fd81:1::1
#
# One thread at either end, each on a processor of its own, polls and never yields. Prints percentiles of each round and the
# median of the rounds' ratios. OPTIONS as homa server --xdp takes them behind the interface, such as mode=generic.
# CLASSPATH holds homa4j-bench and what it needs (default: what a build has left in this tree).
#
# Exit code: 0 measured, 1 not, 77 skipped (says why). Needs root, iproute2, taskset and a built tree (./mvnw -DskipTests package).
set -Eeuo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
client_address=10.81.1.2 server_address=10.81.1.1 rounds=15 calls=15000 options=

skip() { echo "SKIPPED: $*"; exit 77; }
fail() { echo "FAILED: $*"; exit 1; }
while [ $# -gt 0 ]; do
    case $1 in
        --ipv6) server_address='[fd81:1::1]' ;;
        --rounds) rounds=$2; shift ;;
        --calls) calls=$2; shift ;;
        --xdp) options=,$2; shift ;;
        -h | --help) sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) fail "there is no option $1; see --help" ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in ip taskset; do command -v $tool >/dev/null || skip "needs $tool"; done
[ "$(nproc)" -ge 2 ] || skip "needs two processors"

if [ -z "${CLASSPATH:-}" ]; then
    set +o pipefail
    hdr=$(find "${HOME}/.m2/repository/org/hdrhistogram" -name 'HdrHistogram-*.jar' 2>/dev/null | head -1)
    set -o pipefail
    [ -d "$root/homa4j-bench/target/classes" ] && [ -n "$hdr" ] || fail "the tree is not built; run ./mvnw -DskipTests package"
    CLASSPATH=$hdr
    for module in protocol driver bench; do CLASSPATH=$CLASSPATH:$root/homa4j-$module/target/classes; done
    CLASSPATH=$CLASSPATH:$root/homa4j/target/classes
fi
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

client=hxb$$-c server=hxb$$-s
cleanup() { for ns in "$client" "$server"; do ip netns del "$ns" 2>/dev/null || true; done; }
trap cleanup EXIT
trap 'exit 130' INT TERM

ip netns add "$client" 2>/dev/null || skip "this system gives no network namespaces"
ip netns add "$server"
ip link add cable0 netns "$client" type veth peer name cable0 netns "$server"
ip -n "$client" addr add $client_address/24 dev cable0
ip -n "$client" addr add fd81:1::2/64 dev cable0 nodad
ip -n "$server" addr add 10.81.1.1/24 dev cable0
ip -n "$server" addr add fd81:1::1/64 dev cable0 nodad
for ns in "$client" "$server"; do
    ip -n "$ns" link set lo up
    ip -n "$ns" link set cable0 up
done

run=("$java" -XX:+UseSerialGC -XX:-UsePerfData --enable-native-access=ALL-UNNAMED -cp "$CLASSPATH" io.homa4j.bench.XdpRoundTrip)
ip netns exec "$client" taskset -c 1 "${run[@]}" "cable0$options" "$server_address" "cable0$options" "$rounds" "$calls" \
    ip netns exec "$server" taskset -c 0 "${run[@]}" server
