#!/usr/bin/env python3
"""run.py - one mapping (mapping.mlc) by `mlc eval` and by what else a user would take for it, side by side on one core.

    run.py BUILD [--runs 11] [--rows 200000] [--only NAME,NAME] [--svg FILE] [--markdown FILE] [--quick]

BUILD has mlc, bench-rows and the references (rules.mk). Every program reads the same JSON lines and writes JSON lines; before anything is timed, the output
of each must equal the reference's, record by record (numbers by value, members in any order). Then all run in turn, RUNS times over, and what counts is
CPU time (user and system) per row. Slow programs get the first part of the rows, SLOW of them. A ratio is the median of the runs' ratios to the faster of
the two hand-written references in the same round; the interval is of 95 %, by resampling the rounds. A program that is not there is skipped with a word;
only `mlc` and the references must be. Then the same over XML: the first quarter of the customers as SOAP answers, by the product's own reader (map_xml.c) and by
hand-written C on libxml2.

Judged, in the exit code: equal outputs. Ratios are shown beside their goal and never judged.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
SLOW_ROWS, QUICK_ROWS, SEED, XML_PART = 10000, 40000, 7, 4


class Peer:
    def __init__(self, name, command, needs, slow=False, env=None, reference=False):
        self.name, self.command, self.needs, self.slow, self.env, self.reference = name, command, needs, slow, env or {}, reference
        self.seconds, self.peak_kib, self.input, self.rows = [], 0, "", 0


def first(*names):
    return next((shutil.which(n) for n in names if shutil.which(n)), None)


def peers(build, work):
    """Name, command, and what has to exist: a program's path or None."""
    def here(name):
        return os.path.join(HERE, name)

    def built(name):
        path = os.path.join(build, name)
        return path if os.path.exists(path) else None
    node, modules = first("node", "nodejs"), os.environ.get("BENCH_NODE_MODULES", os.path.join(build, "bench-peers", "node_modules"))
    jsonata = node if os.path.isdir(os.path.join(modules, "jsonata")) else None
    image = os.path.join(work, "mapping.mlcb")
    return [
        Peer("mlc eval", [built("mlc"), "eval", image, "customers"], built("mlc")),
        Peer("C++ on simdjson", [built("bench-ref-simdjson")], built("bench-ref-simdjson"), reference=True),
        Peer("C on jansson", [built("bench-ref-jansson")], built("bench-ref-jansson"), reference=True),
        Peer("LuaJIT, cjson", ["luajit", here("map.lua")], first("luajit")),
        Peer("Node.js", [node, here("map.js")], node),
        Peer("Python", ["python3", here("map.py")], first("python3")),
        Peer("VRL", [built("bench-peers/vrl")], built("bench-peers/vrl"), True),
        Peer("CEL", [built("bench-peers/cel")], built("bench-peers/cel"), True),
        Peer("Bloblang", [built("bench-peers/bloblang")], built("bench-peers/bloblang"), True),
        Peer("gojq", ["gojq", "-c", "-f", here("map.jq")], first("gojq"), True),
        Peer("Miller", ["mlr", "--ijsonl", "--ojsonl", "put", "-q", "-f", here("map.mlr")], first("mlr"), True),
        Peer("jq", ["jq", "-c", "-f", here("map.jq")], first("jq"), True),
        Peer("JSONata", [node, here("map.jsonata.js")], jsonata, True, {"NODE_PATH": modules}),
    ]


def xml_peers(build, work):
    return [Peer("mlc, SOAP answers", [os.path.join(build, "bench-map-xml"), os.path.join(work, "mapping.mlcb"), "customers"], build),
            Peer("C on libxml2", [os.path.join(build, "bench-ref-libxml2")], build, reference=True)]


def records(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in f]


def run(build, peer, out):
    """CPU seconds and peak KiB."""
    p = subprocess.run([os.path.join(build, "bench-measure"), peer.input, out, *peer.command], capture_output=True, text=True, check=True,
                       env={**os.environ, **peer.env, "LC_ALL": "C.UTF-8"})
    cpu_us, peak_kib, status = map(int, p.stdout.split())
    if status != 0:
        raise RuntimeError(f"{peer.name}: status {status}: {p.stderr[:300]}")
    return cpu_us / 1e6, peak_kib


def differences(name, expected, got):
    if len(expected) != len(got):
        return [f"{name}: {len(got)} records, expected {len(expected)}"]
    wrong = [(i, a, b) for i, (a, b) in enumerate(zip(expected, got)) if a != b]
    return [f"{name}: {len(wrong)} records differ; row {i + 1}: " + ", ".join(f"{k}: {b.get(k)!r}, expected {a.get(k)!r}" for k in sorted({*a, *b}) if a.get(k) != b.get(k))
            for i, a, b in wrong[:1]]


def interval(ratios):
    """Median and 95 % interval, by resampling; the seed is fixed, so that the same figures give the same interval."""
    pick = random.Random(SEED)
    medians = sorted(statistics.median(pick.choices(ratios, k=len(ratios))) for _ in range(2000))
    return statistics.median(ratios), medians[50], medians[1949]


def svg(table, path):
    """Bars on a logarithmic scale: how much CPU time as the reference."""
    import math
    left, width, step = 130, 420, 24
    most = math.log10(max(r[1] for r in table)) or 1
    rows = []
    for i, (name, ratio, _, _, _, _) in enumerate(table):
        y, w = 34 + i * step, 4 + width * math.log10(max(ratio, 1)) / most
        colour = "#2563eb" if name.startswith("mlc") else "#94a3b8"
        rows.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{name}</text><rect x="{left}" y="{y}" width="{w:.0f}" height="16" fill="{colour}"/>'
                    f'<text x="{left + w + 6:.0f}" y="{y + 12}">{ratio:.2f}</text>' if ratio < 10 else
                    f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{name}</text><rect x="{left}" y="{y}" width="{w:.0f}" height="16" fill="{colour}"/>'
                    f'<text x="{left + w + 6:.0f}" y="{y + 12}">{ratio:.0f}</text>')
    height = 44 + step * len(table)
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 70}" height="{height}" font-family="sans-serif" font-size="12">'
                f'<rect width="100%" height="100%" fill="#ffffff"/><text x="12" y="20" font-weight="bold">CPU time of one mapping, in multiples of hand-written C++ (log scale)</text>'
                + "".join(rows) + "</svg>\n")


def report(table, markdown):
    head = ("program", "CPU, x reference", "95 % interval", "rows/s of CPU", "peak MiB")
    lines = [(n, f"{m:.2f}", f"{lo:.2f} - {hi:.2f}", f"{rate:,.0f}", f"{peak / 1024:.0f}") for n, m, lo, hi, rate, peak in table]
    print(f"{head[0]:18}{head[1]:>18}{head[2]:>18}{head[3]:>16}{head[4]:>10}")
    for line in lines:
        print(f"{line[0]:18}{line[1]:>18}{line[2]:>18}{line[3]:>16}{line[4]:>10}")
    if markdown:
        with open(markdown, "w", encoding="utf-8") as f:
            f.write("| " + " | ".join(head) + " |\n|---|---:|---:|---:|---:|\n" + "".join("| " + " | ".join(line) + " |\n" for line in lines))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("build")
    ap.add_argument("--runs", type=int, default=11)
    ap.add_argument("--rows", type=int, default=200000)
    ap.add_argument("--only", default="")
    ap.add_argument("--svg")
    ap.add_argument("--markdown")
    ap.add_argument("--quick", action="store_true")
    args = ap.parse_args()
    if args.quick:
        args.rows, args.runs = QUICK_ROWS, 3
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as work:
        return bench(args, os.path.abspath(args.build), work)


def make_rows(build, path, count, *how):
    with open(path, "wb") as f:
        subprocess.run([os.path.join(build, "bench-rows"), str(count), str(SEED), *how], stdout=f, check=True)


def compared(build, here, expected, out):
    """Those whose output is the expected one."""
    equal = []
    for p in here:
        run(build, p, out)
        wrong = differences(p.name, expected[:p.rows], records(out))
        for line in wrong:
            print("not equal:", line, file=sys.stderr)
        if not wrong:
            equal.append(p)
    return equal


def timed(build, here, runs):
    """Rows of the table, from the fastest."""
    for _ in range(runs):
        for p in here:
            used, peak = run(build, p, os.devnull)
            p.seconds.append(used / p.rows)
            p.peak_kib = max(p.peak_kib, peak)
    best = min((p for p in here if p.reference), key=lambda p: statistics.median(p.seconds))
    return sorted(((p.name, *interval([a / b for a, b in zip(p.seconds, best.seconds)]), 1 / statistics.median(p.seconds), p.peak_kib) for p in here), key=lambda r: r[1])


def bench(args, build, work):
    rows, slow, xml, out = (os.path.join(work, n) for n in ("rows.jsonl", "slow.jsonl", "rows.xml", "out.jsonl"))
    make_rows(build, rows, args.rows)
    make_rows(build, slow, min(SLOW_ROWS, args.rows))
    make_rows(build, xml, args.rows // XML_PART, "xml")
    subprocess.run([os.path.join(build, "mlc"), "build", os.path.join(HERE, "mapping.mlc"), "-o", os.path.join(work, "mapping.mlcb")], stdout=subprocess.DEVNULL, check=True)
    wanted, here = set(filter(None, args.only.split(","))), []
    for p in peers(build, work):
        p.input, p.rows = (slow, min(SLOW_ROWS, args.rows)) if p.slow else (rows, args.rows)
        if p.needs is None:
            print(f"{p.name}: not on this machine, skipped")
        elif not wanted or p.name in wanted or p.reference:
            here.append(p)
    over_xml = xml_peers(build, work)
    for p in over_xml:
        p.input, p.rows = xml, args.rows // XML_PART
    references = [p for p in here if p.reference]
    if not references:
        print("no reference could be built: what they need is in .ci/setup", file=sys.stderr)
        return 1
    run(build, references[0], out)
    expected = records(out)
    equal, equal_xml = compared(build, here, expected, out), compared(build, over_xml, expected, out)
    del expected
    print(f"{args.rows:,} rows of {os.path.getsize(rows) // args.rows:,} bytes, {args.runs} runs; slow programs map {SLOW_ROWS:,}")
    table = timed(build, equal, args.runs)
    report(table, args.markdown)
    if args.svg:
        svg(table, args.svg)
    if len(equal_xml) == len(over_xml):
        print(f"{over_xml[0].rows:,} of them as XML of {os.path.getsize(xml) // over_xml[0].rows:,} bytes")
        report(timed(build, equal_xml, args.runs), args.markdown and args.markdown.replace(".md", "-xml.md"))
    return 0 if len(equal) == len(here) and len(equal_xml) == len(over_xml) else 1


if __name__ == "__main__":
    sys.exit(main())
