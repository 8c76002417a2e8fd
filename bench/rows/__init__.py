"""The questions, by name. Each takes a report and adds what it found."""

from collections.abc import Callable

from bench.report import Report
from bench.rows.arrival import join, reconnect
from bench.rows.delivery import burst, delivery, rates, readers, threads
from bench.rows.flood import flood
from bench.rows.guards import guards
from bench.rows.ingest import ingest
from bench.rows.length import length
from bench.rows.page import page
from bench.rows.removal import removal

ROWS: dict[str, Callable[[Report], None]] = {
    row.__name__: row
    for row in (delivery, burst, ingest, guards, page, join, reconnect, readers, rates, length, threads, removal, flood)
}
