"""Every fault, in the order of the table. What each one is stands below its name."""

from tests.faults import deaths, lines, repeats, shortages, slowness
from tests.faults.trial import Strike

FAULTS: dict[str, Strike] = {
    strike.__name__.replace("_", " "): strike
    for strike in (
        deaths.worker_killed,
        deaths.valkey_killed,
        deaths.valkey_frozen,
        deaths.postgres_restarted,
        deaths.postgres_killed,
        lines.last_hint_lost,
        lines.subscribers_cut,
        lines.redis_line_frozen,
        lines.redis_line_delayed,
        lines.redis_line_trickling,
        lines.postgres_line_frozen,
        lines.postgres_answers_lost,
        lines.postgres_line_delayed,
        lines.postgres_line_trickling,
        deaths.worker_frozen,
        deaths.frozen_worker_killed,
        shortages.disk_full,
        shortages.descriptors_used_up,
        shortages.clock_set_back,
        slowness.readers_who_never_read,
        slowness.readers_on_a_narrow_line,
        repeats.one_op_by_twenty,
        deaths.workers_drained,
        deaths.workers_replaced,
    )
}
