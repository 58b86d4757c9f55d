#!/usr/bin/env python3
"""Draws docs/perf/shares.svg: shares of the peak of whole training steps, by instruction set.

    scripts/perf_plot.py        from the table of instruction sets in docs/perf/steps.md

Needs Python 3.8 or newer, nothing else. The picture follows the reader's light or dark colors.
"""

import itertools
import pathlib
from xml.sax.saxutils import escape

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "docs/perf"
HEAD = "| preset | isa | batch | threads |"

# Instruction set, its title, its color on light and on dark ground.
SETS = [
    ("avx512", "AVX-512", "#1f5fae", "#6cb0ff"),
    ("avx2", "AVX2", "#c2570c", "#ff9d5c"),
    ("portable", "portable", "#5b7f2b", "#a5cf6b"),
]
WIDTH, LEFT, RIGHT, TOP = 720, 170, 60, 84
BAR, GAP = 11, 12


def shares():
    """{(preset, batch): {instruction set: percent}}, in the table's order."""
    _, found, table = (FOLDER / "steps.md").read_text(encoding="utf-8").partition(HEAD)
    if not found:
        raise SystemExit(f"{FOLDER / 'steps.md'} has no table that begins with {HEAD}")
    rows = {}
    # The first such table: those that follow are older.
    for line in itertools.takewhile(str.strip, table.splitlines()):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[-1].endswith("%"):
            preset, isa, batch = cells[:3]
            rows.setdefault((preset, batch), {})[isa] = float(cells[-1].rstrip("% "))
    return rows


def text(x, y, words, anchor="start", style=""):
    return f'<text x="{x:.0f}" y="{y:.1f}" text-anchor="{anchor}" class="{style}">{escape(words)}</text>'


def picture(rows):
    scale = (WIDTH - LEFT - RIGHT) / 100
    height = TOP + len(rows) * (len(SETS) * BAR + GAP) + 16
    light = "".join(f".{name}{{fill:{color}}}" for name, _, color, _ in SETS)
    dark = "".join(f".{name}{{fill:{color}}}" for name, _, _, color in SETS)
    style = (
        "text{font:13px system-ui,sans-serif;fill:#1f2328}.small{font-size:10px}.title{font-weight:600}.ground{fill:#fff}"
        f".grid{{stroke:#d0d7de}}{light}"
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}.grid{stroke:#3d444d}" + dark + "}"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        "<title>Whole training steps: share of the peak by preset, batch and instruction set</title>",
        f"<style>{style}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
        text(16, 26, "Whole training steps, one thread: % of the peak of the same instruction set", style="title"),
    ]
    for index, (name, title, _, _) in enumerate(SETS):
        parts.append(f'<rect class="{name}" x="{LEFT + 110 * index}" y="40" width="12" height="12"/>')
        parts.append(text(LEFT + 110 * index + 18, 51, title))
    for percent in range(0, 101, 20):
        x = LEFT + percent * scale
        parts.append(f'<line class="grid" x1="{x:.0f}" x2="{x:.0f}" y1="{TOP - 8}" y2="{height - 12}"/>')
        parts.append(text(x, TOP - 13, str(percent), "middle", "small"))
    y = TOP
    for (preset, batch), values in rows.items():
        parts.append(text(LEFT - 12, y + len(SETS) * BAR / 2 + 4, f"{preset} {batch}", "end"))
        for name, _, _, _ in SETS:
            if name in values:
                width = values[name] * scale
                parts.append(f'<rect class="{name}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 1}"/>')
                parts.append(text(LEFT + width + 4, y + BAR - 2, f"{values[name]:.0f}", style="small"))
            y += BAR
        y += GAP
    return "\n".join([*parts, "</svg>", ""])


def main():
    (FOLDER / "shares.svg").write_text(picture(shares()), encoding="utf-8")


if __name__ == "__main__":
    main()
