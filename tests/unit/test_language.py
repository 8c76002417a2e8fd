"""The catalogues hold all that the pages say, in every language; numbers, dates and plurals follow the language."""

import datetime
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from service import errors
from service.errors import Banned, Malformed, Refusal, TooFast
from service.language import SOURCE, Language
from service.web.words import Phrase, sentence, words
from tools import words as tool

NAMES = [path.stem for path in tool.CATALOGUES]
OTHERS = [name for name in NAMES if name != SOURCE]
SAID = re.compile(r"\{#.*?#\}|\{%-? trans .*?\{% endtrans|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)  # what Jinja fills in
FILLED = re.compile(r"%\(\w+\)s|%|<[^>]*>|&\w+;")  # what a translation must hold as it stands


def catalogue(name: str) -> Catalog:
    with Path(tool.ROOT, "languages", f"{name}.po").open("rb") as file:
        return read_po(file)


def phrases(catalog: Catalog) -> set[str | tuple[str, ...]]:
    return {message.id if isinstance(message.id, str) else tuple(message.id) for message in catalog if message.id}


def forms(phrase: str | Iterable[str] | None) -> tuple[str, ...]:
    return (phrase,) if isinstance(phrase, str) else tuple(phrase or ())


def leaves(told: Mapping[str, Phrase]) -> list[str]:
    return [leaf for each in told.values() for leaf in ([each] if isinstance(each, str) else each.values())]


def test_there_are_english_and_german() -> None:
    assert NAMES == ["de", "en"]


@pytest.mark.parametrize("name", NAMES)
def test_a_catalogue_holds_what_is_said_and_nothing_else(name: str) -> None:
    assert phrases(catalogue(name)) == phrases(tool.said()), "`make words` brings the catalogues up to date"


@pytest.mark.parametrize("name", NAMES)
def test_a_catalogue_is_laid_out_as_make_words_writes_it(name: str) -> None:
    text = Path(tool.ROOT, "languages", f"{name}.po").read_text("utf-8")
    assert tool.renewed(text, tool.said()) == text, "`make words` lays the catalogues out"


def test_the_source_is_not_translated() -> None:
    assert not any(any(forms(message.string)) for message in catalogue(SOURCE) if message.id)


@pytest.mark.parametrize("name", OTHERS)
def test_every_phrase_is_translated_and_holds_what_is_filled_in(name: str) -> None:
    catalog = catalogue(name)
    for message in catalog:
        if message.id:
            translated = forms(message.string)
            assert all(translated), message.id
            assert not message.fuzzy, message.id
            assert len(translated) == (catalog.num_plurals if message.pluralizable else 1), message.id
            held = sorted(FILLED.findall(forms(message.id)[-1]))
            assert all(sorted(FILLED.findall(form)) == held for form in translated), message.id


def test_what_is_new_waits_and_what_is_gone_goes() -> None:
    template = Catalog()
    template.add("Sections", locations=[("templates/base.html", 1)])
    template.add("Brand new", locations=[("templates/base.html", 2)])
    head = '# Head.\nmsgid ""\nmsgstr ""\n"Language: de_DE\\n"\n\n'
    renewed = tool.renewed(head + 'msgid "Sections"\nmsgstr "Ressorts"\n\nmsgid "Old"\nmsgstr "Alt"\n', template)
    assert renewed.startswith(head)
    told = {message.id: message.string for message in read_po(io.StringIO(renewed)) if message.id}
    assert told == {"Brand new": "", "Sections": "Ressorts"}
    assert "Old" not in renewed


@pytest.mark.parametrize("path", sorted((tool.ROOT / "templates").iterdir()), ids=lambda path: path.name)
def test_a_template_says_nothing_that_is_not_in_the_catalogues(path: Path) -> None:
    bare = SAID.sub("", path.read_text("utf-8"))
    assert re.findall(r"[^\W\d_]+", re.sub(r"<[^>]*>|&\w+;", "", bare)) == []
    assert re.findall(r'\s(?:alt|title|placeholder|aria-label|aria-description)="[^"]*[^\W\d_]', bare) == []


@pytest.mark.parametrize(
    ("name", "locale", "number", "day"),
    [
        ("en", "en_GB", "1,234,567", "9 November 2017"),
        ("de", "de_DE", "1.234.567", "9. November 2017"),
    ],
)
def test_numbers_and_dates_are_written_as_the_language_does(name: str, locale: str, number: str, day: str) -> None:
    language = Language(name)
    assert str(language.locale) == locale
    assert language.number(1_234_567) == number
    assert language.number(7) == "7"
    assert language.day(datetime.datetime(2017, 11, 9, 23, 7, tzinfo=datetime.UTC)) == day


def test_once_made_a_language_reads_no_file() -> None:
    told = """
import datetime, sys
from service.language import Language
language = Language("de")
sys.addaudithook(lambda event, details: sys.exit(str(details)) if event == "open" else None)
sys.stdout.write(language.day(datetime.date(2017, 11, 9)) + language.number(1234) + str(language.plural("a", "b")))
"""
    run = subprocess.run([sys.executable, "-c", told], cwd=tool.ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("9. November 20171.234")


def test_plurals_have_a_form_for_each_category_of_the_language() -> None:
    counted = ("%(num)s Comment", "%(num)s Comments")
    assert Language("en").plural(*counted) == {"one": "%(num)s Comment", "other": "%(num)s Comments"}
    assert Language("de").plural(*counted) == {"one": "%(num)s Kommentar", "other": "%(num)s Kommentare"}


# Refusals


KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, Refusal) and kind is not Refusal
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OTHERS)
def test_every_refusal_is_told_in_the_language_of_the_site(name: str, kind: type[Refusal]) -> None:
    told = sentence(Language(name), kind())
    assert told == catalogue(name)[kind().message].string
    assert told != kind().message == sentence(Language(SOURCE), kind())


def test_a_refusal_with_particulars_is_told_by_its_kind_in_another_language() -> None:
    particular = Malformed("before must be an integer from 0 to 2^53 - 1.")
    assert sentence(Language("en"), particular) == particular.message
    assert sentence(Language("de"), particular) == sentence(Language("de"), Malformed())


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("en", "", "You can't write here until 2026-12-03 : 11:15."),
        ("en", "50%(s) off", "You can't write here until 2026-12-03 : 11:15. The reason: 50%(s) off"),
        ("de", "Spam", "Von hier aus kann bis 2026-12-03 : 11:15 nicht geschrieben werden. Der Grund: Spam"),
    ],
)
def test_a_ban_is_told_with_its_end_in_the_zone_of_the_site_and_its_reason(name: str, reason: str, told: str) -> None:
    banned = Banned(reason, datetime.datetime(2026, 12, 3, 10, 15, 30, tzinfo=datetime.UTC))
    assert sentence(Language(name), banned, ZoneInfo("Europe/Berlin")) == told


# The words of the script


@pytest.mark.parametrize("name", NAMES)
def test_the_script_is_told_a_sentence_for_each_code(name: str) -> None:
    language = Language(name)
    told = words(language)
    assert told.keys() >= {f"refused.{kind.code}" for kind in KINDS}
    assert told["refused.too-fast"] == sentence(language, TooFast())
    assert json.loads(json.dumps(told)) == told
    assert all(leaves(told))
