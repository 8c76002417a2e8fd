"""How the workers of a site know of each other: a sorted set in Redis of those that beat, by the time of the last beat.

`crowd.lua` keeps it. The keys of a site share a hash tag, so that one script may use them on a cluster, too.
"""

BELIEVED_SECONDS = 4  # a worker that has not beaten for so long counts no more; each beats every second


def workers(site: str) -> str:
    """The key of the sorted set."""
    return f"afterword:{{{site}}}:workers"


def member(site: str, worker: str) -> str:
    """A worker's name in it, which is also the key of its counts of readers."""
    return f"{workers(site)}:{worker}"
