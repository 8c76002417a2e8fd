import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from bench import million, plot
from bench.poster import Poster, unlike
from bench.report import Budget, Line, Plot, Point, Report
from bench.rows import ROWS

ROOT = Path(__file__).parents[2]


def test_a_figure_is_the_median_of_its_rounds_and_shows_their_spread() -> None:
    line = Line("row", "what", [1.0, 9.0, 2.0])
    assert line.median == 2
    assert [float(each) for each in str(line).split()[-3:]] == [2, 1, 9]


@pytest.mark.parametrize(
    ("budget", "values", "holds"),
    [
        (Budget(1.15), [1.1, 1.15, 9], True),
        (Budget(1.15), [1.1, 1.16, 1.2], False),
        (Budget(0.7, most=False), [0.6, 0.7, 0.8], True),
        (Budget(0.7, most=False), [0.69], False),
    ],
)
def test_a_budget_judges_the_median_and_the_table_says_where_it_is_not_kept(
    budget: Budget, values: list[float], holds: bool
) -> None:
    line = Line("row", "what", values, budget)
    assert line.holds is holds
    assert ("not kept" in str(line)) is not holds


def test_a_report_keeps_every_figure() -> None:
    said: list[str] = []
    report = Report(3, 1.0, said.append)
    report.add("row", "what", [1.0, 2.0, 3.0], Budget(1))
    whole = msgspec.json.decode(report.json())
    assert whole["lines"][0] == {
        "row": "row",
        "what": "what",
        "values": [1, 2, 3],
        "budget": [1, True],
        "median": 2,
        "holds": False,
    }
    assert said == [str(report.lines[0])]
    assert said[0] in report.table()


def test_a_plot_draws_each_point_in_its_place() -> None:
    lines = {"ours": [Point(100, 1), Point(10_000, 2)], "a & b": [Point(1000, 1)]}
    drawn = ET.fromstring(plot.draw(Plot("name", "Title <1>", "readers", "ms", lines)))  # noqa: S314 - our own
    name = "{http://www.w3.org/2000/svg}"
    places = [(float(each.get("cx", "")), float(each.get("cy", ""))) for each in drawn.iter(f"{name}circle")]
    (x1, y1), (x2, y2), (x3, y3) = places
    assert x3 == pytest.approx((x1 + x2) / 2)  # a logarithmic axis
    assert y1 == y3 > y2 == plot.TOP
    texts = [each.text for each in drawn.iter(f"{name}text")]
    assert {"Title <1>", "a & b", "100", "1k", "10k", "readers", "ms"} <= set(texts)


def test_every_row_is_told_in_the_pages() -> None:
    told = (ROOT / "docs/performance.md").read_text()
    assert not [name for name in ROWS if f"`{name}`" not in told]


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_a_poster_counts_each_answer_wherever_it_was_cut_and_keeps_the_refusal(piece: int) -> None:
    poster = Poster(0, "/articles/story", "127.0.0.1")
    accepted = b'HTTP/1.1 201 Created\r\nContent-Length: 8\r\n\r\n{"no":1}'
    refused = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 9\r\nContent-Length: 9\r\n\r\ntoo-fast!"
    data = accepted + refused + accepted
    for start in range(0, len(data), piece):
        poster.data_received(data[start : start + piece])
    assert poster.answers == {201: 2, 429: 1}
    assert poster.refusal == b"too-fast!"


def test_what_a_flood_says_is_never_the_same() -> None:
    assert len({unlike() for _ in range(500)}) == 500


def test_the_simulation_gives_what_was_measured_on_one_worker() -> None:
    """2,000 readers: at 20 comments a second each goes out alone; at 200 about a dozen share a write."""
    costs = million.Costs()
    calm = million.work([n / 20 for n in range(200)], costs.commit, 2000, costs, 10)
    assert calm.frames == 1
    assert 0.015 < million.percentile(calm.latencies, 99) < 0.04
    burst = million.work([n / 200 for n in range(1000)], costs.commit, 2000, costs, 5)
    assert 0.05 < burst.frames < 0.15
    assert 0.03 < million.percentile(burst.latencies, 99) < 0.15


def test_the_simulation_spends_half_of_its_time_writing_at_most_and_the_rest_waits() -> None:
    costs = million.Costs()
    crowded = million.work([n / 50 for n in range(500)], costs.commit, 20_000, costs, 10)
    assert crowded.busy < 0.6
    assert crowded.frames < 0.1
