import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service import errors
from service.text import MAX_LENGTH, MAX_MARKS, clean

# Each rule has some of its own characters here, and some that nearly are.
HOSTILE = (
    "ab1> \t\n\r\x00\x0b\x85\xa0\xad\u2028\u3000"
    "\u0300\u0301\u0323\u0338\u0344\u034f\u20e3\u0f73\u05b0\u05bc\u05c1\ufb2c\ufb49"
    "\u00e9\u1ec7\u1f82\u212b\u0958\u0e33\u0e49\u0cc6\u0cc2\u0cca\u0cd5\u0dd9\u0dca\u0ddd"
    "\u1100\u1161\u11a8\uac01\u09c7\u09be\u302e\u1037\u103e\ua9c0"
    "\U0001d157\U0001d165\U0001d16e\U0001d160\U00011131\U00011127"
    "\u061c\u115f\u180b\u180e\u200b\u200c\u200d\u200e\u202a\u202e\u2060\u2066\u2069\u206a\u2800"
    "\u3164\ufdd0\ufe0f\ufeff\ufff9\ufffe\uffa0\ud83c\udff4\U0010ffff"
    "\u2764\U0001f3f4\U0001f3fb\U0001f525\U000e0001\U000e0067\U000e0062\U000e0065\U000e007f"
    "\U000e0100"
)
WALES = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"

anything = st.text(st.sampled_from(HOSTILE), max_size=60) | st.text(st.characters(exclude_categories=()))


def cleaned(raw: str) -> str | None:
    """Return the clean text, or None where the text is refused as empty or too long."""
    try:
        return clean(raw)
    except (errors.Empty, errors.TooLong):
        return None


def longest_run_of_marks(text: str) -> int:
    longest = run = 0
    for char in text:
        run = run + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize(
    "text",
    [
        "Plain words, as most people write them.",
        "> a quoted line\n>>11469 and a reference\n\nA second paragraph.",
        "  indented",
        "हिन्दी में क्ष और क्‍ष, क़लम",
        "ภาษาไทย น้ำ ที่ผู้ใหญ่ปั้น",
        "שָׁלוֹם עֲלֵיכֶם שַׁבָּת",
        "Tiếng Việt: những người đã nghỉ",
        "السّلام عليكُم، مي‌خواهم",
        "한국어와 日本語 \u845b\U000e0100",
        "\u200fשבת (a)\u200e b",
        "\u1f82 \u03b1\u0313",
        "\u2764\ufe0f\u200d\U0001f525 \U0001f44d\U0001f3fd 1\ufe0f\u20e3",
        "\U0001f468\U0001f3fb\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f468\U0001f3ff",
        "\U0001f3f3\ufe0f\u200d\u26a7\ufe0f \U0001f1fa\U0001f1e6",
        f"{WALES}!",
        "\U0001faff \U0003fffd \ue000",
    ],
)
def test_a_normal_text_is_kept_as_it_is(text: str) -> None:
    expected = unicodedata.normalize("NFC", text)
    assert clean(text) == expected
    assert clean(unicodedata.normalize("NFD", text)) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a\r\nb\rc\u2028d\u2029\x85e", "a\nb\nc\nd\n\ne"),
        ("a\tb", "a b"),
        ("a  \t\nb\u3000\n", "a\nb"),
        ("\n \na\n\n\n\n b \n\n", "a\n\n b"),
        ("a\n\u200d\n\u2800\n\u0301\u200e\nb", "a\n\nb"),
        ("> a\n>\n", "> a\n>"),
        ("\n\n>>5\n", ">>5"),
    ],
)
def test_lines_are_tidied(raw: str, expected: str) -> None:
    assert clean(raw) == expected


@pytest.mark.parametrize(
    "dropped",
    [
        *(chr(c) for c in range(0x20) if chr(c) not in "\t\n\r"),
        "\x7f",
        "\x80",
        "\x9f",
        *map(chr, range(0x202A, 0x202F)),
        *map(chr, range(0x2060, 0x2070)),
        "\u200b",
        "\ufeff",
        "\ufff9",
        "\ufffb",
        "\ufdd0",
        "\ufdef",
        "\ufffe",
        "\uffff",
        "\U0010fffe",
        "\ud800",
        chr(0xDFFF),
        "\ud83d\ude00",
        "\U000e0001",
        "\U000e0061",
        "\U000e007f",
    ],
    ids=ascii,
)
def test_what_hides_or_reorders_is_dropped(dropped: str) -> None:
    assert clean(f"a{dropped}b{dropped}") == "ab"


@pytest.mark.parametrize(
    "smuggled",
    [
        "\U0001f3f4\U000e0067\U000e0062",  # without its end
        "\U0001f3f4\U000e0067\U000e0062\U000e007f",  # a region alone is written with letters
        "\U0001f3f4" + "\U000e0067" * 7 + "\U000e007f",
        "\U0001f3f4\U000e0020\U000e0062\U000e0077\U000e007f",
        "\U0001f3f4\u0301" + WALES[1:],
    ],
    ids=ascii,
)
def test_tags_are_kept_in_flags_alone(smuggled: str) -> None:
    assert clean(smuggled).rstrip("\u0301") == "\U0001f3f4"
    assert clean(WALES + "\U000e0062") == WALES


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("e\u0323\u0302", "\u1ec7"),
        ("a" + "\u0300" * 1000 + "b", "\u00e0\u0300\u0300b"),
        ("a" + "\u0300\u200d" * 1000, "\u00e0\u200d\u0300\u200d\u0300" + "\u200d" * 998),
        ("\u1ec7\u0301\u0301", "\u1ec7\u0301"),
        ("e\u0323\u0302\u0301\u0301", "\u1ec7\u0301"),
        ("\u0e01" + "\u0e49" * 50, "\u0e01" + "\u0e49" * 3),
        ("\u2764" + "\ufe0f" * 50, "\u2764" + "\ufe0f" * 3),
        ("!\u20dd\u20dd\u20dd\u20dd!\u20dd", "!\u20dd\u20dd\u20dd!\u20dd"),
    ],
    ids=ascii,
)
def test_marks_do_not_pile_up(raw: str, expected: str) -> None:
    assert clean(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " \t\r\n\xa0\u3000",
        "\u200b\u2060\ufeff\x00",
        "\u200d\u200c\u200e\u200f\u061c\xad",
        "\u3164\uffa0\u115f\u1160",
        "\u2800\n\u2800",
        "\ufe0f\U000e0100\u180b",
        "\u0301 \u20dd\n\u0903",
        "\U000e0068\U000e0069",
        "\ud800",
        "\n" * 100_000,
    ],
    ids=lambda raw: ascii(raw[:12]),
)
def test_a_text_without_anything_to_see_is_empty(raw: str) -> None:
    with pytest.raises(errors.Empty):
        clean(raw)


@pytest.mark.parametrize("char", ["a", "\u0434", "\U0001f600"], ids=ascii)
def test_the_limit_counts_code_points_after_cleaning(char: str) -> None:
    longest = char * MAX_LENGTH
    assert clean(f"\n{longest}\u200b \r\n") == longest
    with pytest.raises(errors.TooLong):
        clean(f"{longest}.")
    assert clean("e\u0301" * MAX_LENGTH) == "\u00e9" * MAX_LENGTH


@given(anything)
@example("\u0cc6\u0301\u0301\u0301\u0cd5\u0cd5")
@example("a\u0301\u0301\u0301\u09bc\u302e\u0323")
def test_cleaning_again_changes_nothing(raw: str) -> None:
    text = cleaned(raw)
    assert text is None or clean(text) == text


@given(anything)
def test_canonically_equal_texts_are_cleaned_alike(raw: str) -> None:
    assert cleaned(unicodedata.normalize("NFD", raw)) == cleaned(raw)


@given(anything)
def test_a_clean_text_keeps_every_promise(raw: str) -> None:
    text = cleaned(raw)
    if text is None:
        return
    assert 1 <= len(text) <= MAX_LENGTH
    assert unicodedata.is_normalized("NFC", text)
    assert longest_run_of_marks(text) <= MAX_MARKS
    assert text == text.strip("\n")
    assert "\n\n\n" not in text
    assert all(line == line.rstrip() for line in text.split("\n"))
    assert not {unicodedata.category(char) for char in text.replace("\n", "")} & {"Cc", "Cs"}
    text.encode()


def test_every_character_that_composes_is_cleaned_once_for_all() -> None:
    composing = [
        chr(code) for code in range(0x30000) if unicodedata.decomposition(chr(code)) or unicodedata.combining(chr(code))
    ]
    for char in composing:
        raw = f"a\u0301{char}\u0338\u0301\u09be{char}\u0323\u200d{char}"
        text = clean(raw)
        assert clean(text) == text


@pytest.mark.parametrize(
    "pattern",
    [
        "word ",
        "\n",
        " \n",
        " ",
        "\u200d\n",
        "\x00",
        "\u0301",
        "\u0301\u0323",
        "\u0344",
        "\u0301\u200d",
        "\u1f82",
        "\uac01",
        "\u2764\ufe0f\u200d\U0001f525",
        "\U0001f3f4\U000e0067",
        "\U000e0067",
        "\u3000",
    ],
    ids=ascii,
)
def test_time_is_linear(pattern: str) -> None:
    def seconds(length: int) -> float:
        raw = "a" + pattern * (length // len(pattern)) + "b"
        best = 60.0
        for _ in range(5):
            start = time.process_time()
            cleaned(raw)
            best = min(best, time.process_time() - start)
        return best

    # Eight times the text takes eight times as long, 64 times if it were quadratic.
    assert seconds(65_536) < 24 * seconds(8_192) + 0.001
