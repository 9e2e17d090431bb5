#!/bin/bash
# ip-netns.sh - Homa over IP protocol 146 between two hosts that are network namespaces.
#
#   scripts/ip-netns.sh
#
#   client 10.80.1.2 ---- 10.80.1.1 host with two server processes, at ports 98 and 99
#          fd80:1::2 ---- fd80:1::1
#
# Checks that each server gets the packets for its own port and no others, that the captures of both are decoded, that a port
# nobody has is told at once, and that a host without Homa is, over both families.
#
# Exit code: 0 all as it should be, 1 not, 77 skipped (says why). Needs root and iproute2.
# HOMA overrides the command (default: homa in the folder above this script).
set -Eeuo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
homa=${HOMA:-$root/homa}

skip() { echo "SKIPPED: $*"; exit 77; }
fail() { echo "FAILED: $*"; exit 1; }
[ "$(id -u)" = 0 ] || skip "needs root"
command -v ip >/dev/null || skip "needs ip (apt-get install iproute2)"

client=hip$$-c host=hip$$-h
servers=()
work=$(mktemp -d)

cleanup() {
    for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
    for ns in "$client" "$host"; do ip netns del "$ns" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ip netns add "$client" 2>/dev/null || skip "this system gives no network namespaces"
ip netns add "$host"
ip link add eth0 netns "$client" type veth peer name eth0 netns "$host"
ip -n "$client" addr add 10.80.1.2/24 dev eth0
ip -n "$client" addr add fd80:1::2/64 dev eth0 nodad
ip -n "$host" addr add 10.80.1.1/24 dev eth0
ip -n "$host" addr add fd80:1::1/64 dev eth0 nodad
for ns in "$client" "$host"; do
    ip -n "$ns" link set lo up
    ip -n "$ns" link set eth0 up
done

serve() {
    ip netns exec "$host" $homa server --port "$1" --encapsulation ip --pcap "$work/$1.pcap" >"$work/$1.log" 2>&1 &
    servers+=($!)
    for _ in $(seq 300); do
        grep -q ready "$work/$1.log" && return
        kill -0 "${servers[-1]}" 2>/dev/null || fail "server $1: $(cat "$work/$1.log")"
        sleep 0.1
    done
    fail "server $1 is never ready"
}

# load ADDRESS PORT: some RPCs without an error
load() {
    ip netns exec "$client" $homa client "homa+ip://$1:$2" --size 3000 --duration 1 --warmup 0 --outstanding 4 \
        >"$work/client.log" 2>&1 || fail "$1 $2: $(cat "$work/client.log")"
    grep -q 'errors: 0, unfinished 0, wrong bytes 0, wrong lengths 0' "$work/client.log" ||
        fail "$1 $2: $(cat "$work/client.log")"
}

# refused ADDRESS PORT REASON: no RPC, and why
refused() {
    ! ip netns exec "$client" $homa client "homa+ip://$1:$2" --duration 1 >"$work/client.log" 2>&1 ||
        fail "somebody answers at $1 port $2"
    grep -q "$3" "$work/client.log" || fail "$1 $2: $(cat "$work/client.log")"
}

serve 98
serve 99
for address in 10.80.1.1 '[fd80:1::1]'; do
    load "$address" 98
    load "$address" 99
    refused "$address" 97 'no server listens on this port'
done
for pid in "${servers[@]}"; do kill "$pid"; done
for pid in "${servers[@]}"; do wait "$pid" || true; done
servers=()
for address in 10.80.1.1 '[fd80:1::1]'; do
    refused "$address" 98 'does not speak Homa over this encapsulation'
done
for port in 98 99; do
    $homa decode "$work/$port.pcap" >"$work/$port.txt"
    grep -q "> 10.80.1.1:$port .*DATA" "$work/$port.txt" || fail "no request over IPv4 in the capture of $port"
    grep -q "> fd80:1.*:$port .*DATA\|> \[fd80:1.*:$port .*DATA" "$work/$port.txt" ||
        fail "no request over IPv6 in the capture of $port"
    ! grep -q ":$((197 - port)) " "$work/$port.txt" || fail "the server at $port sees packets of the other"
done
echo "ok: two servers, both families"
