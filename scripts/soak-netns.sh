#!/bin/bash
# soak-netns.sh - homa soak through a router that loses packets and rewrites addresses, outside the product.
#
#   scripts/soak-netns.sh [RPCS [LOSS_PERCENT [CASE...]]]        default: 1000 1 and all cases
#
#     client             router               server          three network namespaces; packets of 1500 bytes,
#   10.79.1.2 ------ .1      10.79.2.1 ------ .2              none merged on the way; the router loses LOSS_PERCENT
#  fd79:1::2 ------- ::1      fd79:2::1 ----- ::2             of the UDP packets, in both directions
#
# Cases:
#   ipv4, ipv6    plain forwarding
#   dnat          the client knows only the router's address, and another port than the server's
#   masquerade    the server sees only the router's address, and random ports
#   both          dnat and masquerade at once, as behind a Kubernetes service
#
# Exit code: 0 all cases clean, 1 not, 77 skipped (says why). Needs root, iproute2 and nftables.
# HOMA overrides the command (default: homa in the folder above this script), SOAK_OPTIONS adds to the client's options.
set -Eeuo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
homa=${HOMA:-$root/homa}
rpcs=${1:-1000}
loss=${2:-1}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] && cases=("$@") || cases=(ipv4 ipv6 dnat masquerade both)

skip() { echo "SKIPPED: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root"
for tool in ip nft; do command -v "$tool" >/dev/null || skip "needs $tool (apt-get install iproute2 nftables)"; done

prefix=hsoak$$
client=$prefix-c router=$prefix-r server=$prefix-s
servers=()
work=$(mktemp -d)

cleanup() {
    for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
    for ns in "$client" "$router" "$server"; do ip netns del "$ns" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# link NS NUMBER: an Ethernet between the namespace and the router; 1 is the client's, 2 the server's
link() {
    ip link add eth0 netns "$1" type veth peer name "eth$2" netns "$router"
    ip -n "$1" addr add "10.79.$2.2/24" dev eth0
    ip -n "$1" addr add "fd79:$2::2/64" dev eth0 nodad
    ip -n "$router" addr add "10.79.$2.1/24" dev "eth$2"
    ip -n "$router" addr add "fd79:$2::1/64" dev "eth$2" nodad
    # Segments leave one by one: what the router loses is a packet, not all that was sent at once.
    ip -n "$1" link set eth0 gso_max_segs 1
    ip -n "$router" link set "eth$2" gso_max_segs 1
    ip -n "$1" link set lo up
    ip -n "$1" link set eth0 up
    ip -n "$router" link set "eth$2" up
    ip -n "$1" route add default via "10.79.$2.1"
    ip -n "$1" route add default via "fd79:$2::1"
}

build() {
    ip netns add "$client" 2>/dev/null || skip "this system gives no network namespaces"
    ip netns add "$router"
    ip netns add "$server"
    link "$client" 1
    link "$server" 2
    ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    ip netns exec "$router" nft -f - <<EOF || skip "this kernel has no nftables with NAT"
table inet soak {
    chain lossy {
        type filter hook forward priority 0;
        meta l4proto udp numgen random mod 10000 < $(awk -v p="$loss" 'BEGIN { printf "%d", p * 100 }') counter drop
        meta l4proto udp counter
    }
}
EOF
}

# rules CASE: the rewriting of addresses
rules() {
    ip netns exec "$router" nft delete table ip rewrite 2>/dev/null || true
    case $1 in
        dnat | both)
            ip netns exec "$router" nft -f - <<EOF
table ip rewrite {
    chain in {
        type nat hook prerouting priority dstnat;
        ip daddr 10.79.1.1 udp dport 4000 dnat to 10.79.2.2:5000
        ip daddr 10.79.1.1 udp dport 4001 dnat to 10.79.2.2:5001
    }
}
EOF
            ;;
    esac
    case $1 in
        masquerade | both)
            ip netns exec "$router" nft -f - <<EOF
table ip rewrite {
    chain out {
        type nat hook postrouting priority srcnat;
        oifname eth2 meta l4proto udp masquerade to :20000-30000 random
    }
}
EOF
            ;;
    esac
}

lost() { # packets the router has dropped so far
    ip netns exec "$router" nft list chain inet soak lossy | sed -n 's/.*counter packets \([0-9]*\).*drop.*/\1/p'
}

# run CASE: one soak; its result line
run() {
    local name=$1 target options=() before
    rules "$name"
    case $name in
        ipv4 | masquerade) target=10.79.2.2:5000 ;;
        ipv6) target="[fd79:2::2]:5000" options=(--ipv6) ;;
        dnat | both) target=10.79.1.1:4000 ;;
        *) echo "soak-netns.sh: no case '$name'" >&2; exit 2 ;;
    esac
    before=$(lost)
    if ip netns exec "$client" $homa soak --to "$target" --rpcs "$rpcs" "${options[@]}" \
        ${SOAK_OPTIONS:-} --json "$work/$name.json" >"$work/$name.log" 2>&1; then
        printf '%-11s ok      ' "$name"
    else
        printf '%-11s FAILED  ' "$name"
        failed=1
    fi
    if [ -s "$work/$name.json" ]; then
        sed -n 's/^  "\(completed\|failed\|corrupted\|executed_twice\|never_executed\|retransmitted_packets\)": \([0-9]*\).*/\1 \2,/p' \
            "$work/$name.json" | tr '\n' ' '
    fi
    echo "lost on the way $(($(lost) - before))"
    if [ -s "$work/$name.json" ]; then
        sed -n 's/^  "failed_by_kind": {\(..*\)},$/            failed: \1/p' "$work/$name.json"
    else
        tail -n 3 "$work/$name.log"
    fi
}

failed=0
build
ip netns exec "$server" $homa soak --serve 5000 >"$work/server.log" 2>&1 &
servers+=($!)
for _ in $(seq 300); do
    grep -q '^ready' "$work/server.log" && break
    kill -0 "${servers[0]}" 2>/dev/null || break
    sleep 0.1
done
grep -q '^ready' "$work/server.log" || { echo "soak-netns.sh: no server:" >&2; cat "$work/server.log" >&2; exit 1; }

for case in "${cases[@]}"; do run "$case"; done
exit "$failed"
