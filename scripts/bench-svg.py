#!/usr/bin/env python3
"""Draws docs/bench.svg from the result of homa bench.

    ./homa bench --json bench.json
    python3 scripts/bench-svg.py bench.json "two cores, loopback, 25 November 2026" > docs/bench.svg
"""
import json
import sys
from html import escape

WIDTH, BAR, LEFT = 760, 600, 16
COLOURS = {"homa-udp": ("#0072B2", "homa4j over UDP"), "tcp-nio": ("#E69F00", "plain TCP (NIO)")}


def digits(value):
    """Three digits, as the command's own table."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def rate(per_second):
    for bound, unit in ((1e6, "M/s"), (1e3, "k/s")):
        if per_second >= bound:
            return f"{digits(per_second / bound)} {unit}"
    return f"{digits(per_second)} /s"


PANELS = (
    ("round trip of one 100 B call, median", "shorter", lambda r: r["rtt_us"]["p50"], lambda v: digits(v) + " us"),
    ("100 B calls, 100 outstanding", "longer", lambda r: r["rpcs_per_s"], rate),
    ("500 kB requests, 10 outstanding", "longer", lambda r: r["gbit_per_s"], lambda v: digits(v) + " Gbit/s"),
)


def draw(results, where):
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="250" viewBox="0 0 {WIDTH} 250"'
           ' font-family="sans-serif" font-size="13">')
    yield f'<rect width="{WIDTH}" height="250" fill="#ffffff"/>'
    yield (f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold" fill="#222">'
           f"./homa bench on {escape(where)}</text>")
    for x, (colour, name) in zip((470, 610), COLOURS.values()):
        yield f'<rect x="{x}" y="14" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{x + 18}" y="24" fill="#222">{name}</text>'
    for i, (title, better, figure, text) in enumerate(PANELS):
        y = 58 + 66 * i
        yield f'<text x="{LEFT}" y="{y}" fill="#222">{title} <tspan fill="#666">({better} is better)</tspan></text>'
        figures = {name: figure(results[name]) for name in COLOURS}
        for j, (name, (colour, _)) in enumerate(COLOURS.items()):
            length = BAR * figures[name] / max(figures.values())
            top = y + 6 + 18 * j
            yield f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="14" fill="{colour}"/>'
            yield f'<text x="{LEFT + length + 8:.1f}" y="{top + 12}" fill="#222">{text(figures[name])}</text>'
    yield "</svg>"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        results = {result["name"]: result for result in json.load(file)["results"]}
    print("\n".join(draw(results, sys.argv[2])))


main()
