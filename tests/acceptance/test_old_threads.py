"""The thread of an old article is closed by the service itself, for every reader at once."""

from pathlib import Path

from tests.site import Site, command, op, receive, send, serving


async def test_a_worker_that_starts_closes_what_is_old_for_every_reader(
    site: Site, tmp_path: Path, database_url: str, redis_url: str
) -> None:
    async with site.socket("story") as reader:
        await receive(reader, "joined")
        shared = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "SECRET": site.environ["AFTERWORD_SECRET"]}
        async with serving(tmp_path / "other", **shared, CLOSE_AFTER_DAYS="14"):
            assert (await receive(reader, "changes"))["thread"] == {"state": "closed", "slow": 0}
            await send(reader, "post", op=op(), text="Too late?")
            assert (await receive(reader, "refused"))["code"] == "closed"
    _, said, _ = await command(site.environ, "acts", "story")
    assert said.rstrip().endswith("-  close story (was open)  14 days")


async def test_the_command_closes_what_is_old_and_leaves_what_was_opened_again(site: Site) -> None:
    assert await command(site.environ, "threads", "close-old", "--days", "14") == (0, "closed 1 threads\n", "")
    assert await command(site.environ, "threads", "open", "story") == (0, "now   open: story\n", "")
    assert await command(site.environ, "threads", "close-old", "--days", "14") == (0, "closed 0 threads\n", "")
