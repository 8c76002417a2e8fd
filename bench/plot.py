"""A plot as SVG: lines with points over a logarithmic axis, legible on light and dark."""

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from bench.report import Plot, Point

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM, SPACING = 64, 170, 40, 48, 15
COLOURS = ("#2f6fd0", "#c8553d", "#3a8f5c", "#8a5fbf", "#b8860b")
STYLE = "text{font:13px system-ui,sans-serif;fill:#777}path{fill:none;stroke-width:2}.grid{stroke:#8884;stroke-width:1}"

Places = Sequence[tuple[float, float]]


def draw(plot: Plot) -> str:
    """The plot; every line needs a point, and every point an x above zero."""
    points = [point for line in plot.lines.values() for point in line]
    low, high = min(p.x for p in points), max(p.x for p in points)
    top = _ceiling(max(p.y for p in points))

    def place(point: Point) -> tuple[float, float]:
        across = math.log(point.x / low) / math.log(high / low) if high > low else 0.5
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - point.y / top * (HEIGHT - TOP - BOTTOM)

    parts = [_text(LEFT, 22, plot.title), _text(LEFT, HEIGHT - 8, plot.x), _text(8, TOP - 4, plot.y)]
    for step in range(5):
        _, y = place(Point(low, top * step / 4))
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{top * step / 4:g}", "end"))
    ticks = sorted({p.x for p in points})
    parts += [_text(place(Point(x, 0))[0], HEIGHT - BOTTOM + 18, _short(x), "middle") for x in ticks]
    lines = [(name, [place(point) for point in line]) for name, line in plot.lines.items()]
    for number, (_, places) in enumerate(lines):
        parts += _line(places, COLOURS[number % len(COLOURS)])
    parts += _names(lines)
    view = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg {view} role="img" aria-label="{escape(plot.title)}"><style>{STYLE}</style>{"".join(parts)}</svg>\n'


def _line(places: Places, colour: str) -> list[str]:
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
    return [f'<path d="M{way}" stroke="{colour}"/>', *dots]


def _names(lines: Sequence[tuple[str, Places]]) -> list[str]:
    """Each line's name behind its end, from the lowest up, none over another."""
    parts, free = list[str](), float(HEIGHT)
    for name, places in sorted(lines, key=lambda line: -line[1][-1][1]):
        x, y = places[-1]
        free = min(y + 4, free - SPACING)
        parts.append(_text(x + 10, free, name))
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _ceiling(value: float) -> float:
    """The next round number, so that a quarter of it is one, too."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 4, 6, 8, 10) if power * step >= value)


def _short(number: float) -> str:
    for size, unit in ((1_000_000, "M"), (1000, "k")):
        if number >= size:
            return f"{number / size:g}{unit}"
    return f"{number:g}"
