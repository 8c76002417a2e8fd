"""The markup of every kind of page is valid as it is served, before any script."""

from pathlib import Path

from tests.browser.kinds import Kind
from tests.browser.pages import validate
from tests.site import Site


async def served(site: Site, kind: Kind) -> str:
    """The page as it is sent to someone without a script."""
    method, address = ("GET", kind.path) if kind.form is None else ("POST", f"{kind.path}/comments")
    async with site.http.request(method, address, data=kind.form and {"text": kind.form}) as response:
        html = await response.text()
    assert kind.says in html
    return html


async def test_the_markup_of_every_page_is_valid(shared: Site, every_kind: list[Kind], tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for kind in every_kind:
        (folder / f"{kind.name}.html").write_text(await served(shared, kind))
    assert await validate(folder) == ""
