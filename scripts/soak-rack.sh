#!/bin/bash
# soak-rack.sh - homa soak between two hosts of an emulated rack that loses packets, outside the product.
#
#   scripts/soak-rack.sh RACK [RPCS [LOSS_PERCENT]]        default: 20000 1
#
# RACK is a script that builds a rack of namespaces whose switch can lose packets: "up HOSTS MBIT", "loss all PERCENT",
# "exec HOST CMD...", "stats", "down"; host N has the address 10.78.0.N; P in its environment names the rack.
#
# Exit code: 0 clean, 1 not, 77 skipped (says why). Needs root and what RACK needs.
# HOMA overrides the command (default: homa in the folder above this script), RATE_MBIT the rate of the links (default 1000),
# SOAK_OPTIONS adds to the client's options.
set -Eeuo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
homa=${HOMA:-$root/homa}
[ $# -ge 1 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
rack=$1
rpcs=${2:-20000}
loss=${3:-1}

skip() { echo "SKIPPED: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "needs root"
[ -x "$rack" ] || skip "no rack script at $rack"

export P=soak$(($$ % 10000))
work=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    "$rack" down >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

"$rack" up 2 "${RATE_MBIT:-1000}" >"$work/up.log" 2>&1 || skip "the rack does not come up: $(tail -n 1 "$work/up.log")"
"$rack" loss all "$loss"

"$rack" exec 1 "$homa" soak --serve 5000 >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 600); do
    grep -q '^ready' "$work/server.log" && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
grep -q '^ready' "$work/server.log" || { echo "soak-rack.sh: no server:" >&2; cat "$work/server.log" >&2; exit 1; }

failed=0
# shellcheck disable=SC2086
"$rack" exec 2 "$homa" soak --to 10.78.0.1:5000 --rpcs "$rpcs" ${SOAK_OPTIONS:-} --json "$work/soak.json" \
    >"$work/client.log" 2>&1 || failed=1
[ "$failed" = 0 ] && printf 'ok      ' || printf 'FAILED  '
if [ -s "$work/soak.json" ]; then
    sed -n 's/^  "\(completed\|failed\|corrupted\|executed_twice\|never_executed\|retransmitted_packets\)": \([0-9]*\).*/\1 \2,/p' \
        "$work/soak.json" | tr '\n' ' '
    echo "of $rpcs at $loss % loss"
else
    tail -n 3 "$work/client.log"
fi
exit "$failed"
