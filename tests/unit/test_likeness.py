"""When two texts are alike: the same but for a word; never because both are short, or about the same."""

from hypothesis import given
from hypothesis import strategies as st

from service import likeness
from service.keyring import Keyring
from service.likeness import KEPT, SHORT, Likeness
from service.protocol import ThreadId

RING = Keyring("a secret for tests only")
THREAD = ThreadId(1)
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
LONG = " ".join(f"word{number}" for number in range(40))

word = st.text(ALPHABET, min_size=3, max_size=9)
text = st.lists(word, min_size=40, max_size=40, unique=True)


def of(said: str, visitor: str = "v", thread: ThreadId = THREAD) -> Likeness:
    return RING.likeness(said, thread, visitor)


def alike(one: str, other: str) -> bool:
    """Whether `one` is refused where `other` stands."""
    given = of(one)
    return bool(given.sketch) and len({*given.sketch} & {*of(other).sketch}) >= given.enough


@given(text, st.integers(0, 39), st.sampled_from(["another", ""]))
def test_changing_one_of_forty_words_is_near(said: list[str], place: int, instead: str) -> None:
    changed = [*said[:place], instead.upper() + "0" * bool(instead), *said[place + 1 :]]
    assert alike(" ".join(changed), " ".join(said))


@given(text, text)
def test_another_text_is_not(one: list[str], other: list[str]) -> None:
    others = [each.upper() + "x" * 10 for each in other]
    assert not alike(" ".join(one), " ".join(others))


def test_the_same_words_in_another_order_are_another_text() -> None:
    words = LONG.split()
    assert not alike(" ".join([*words[::3], *words[1::3], *words[2::3]]), LONG)


def test_half_of_a_text_in_common_is_no_likeness() -> None:
    assert not alike(" ".join([*LONG.split()[:20], *(f"other{number}" for number in range(20))]), LONG)


def test_case_signs_spaces_and_forms_of_letters_make_no_difference() -> None:
    assert alike("\uff37\uff2f\uff32\uff240, " + LONG.upper().replace(" ", " … \n")[5:], LONG)
    assert of("Straße & Co.").same == of("STRASSE   co").same
    assert of("\ufb01ne").same == of("FINE!!!").same


def test_short_texts_are_never_alike() -> None:
    for said in ("message 17", "I agree", "word " * (SHORT - 1)):
        assert of(said).sketch == ()


def test_a_long_text_of_few_words_is_like_itself_alone() -> None:
    assert alike("spam " * 30, "Spam! " * 30)
    assert not alike("spam " * 30, "spam " * 31)
    assert not alike("measured 1 " + "word " * 30, "measured 2 " + "word " * 30)


def test_what_is_quoted_is_not_ones_own() -> None:
    quoted = f">>17\n> {LONG}\n"
    assert of(quoted + "I agree").sketch == ()
    assert not alike(f"{quoted}{' '.join(f'mine{number}' for number in range(20))}", LONG)


def test_signs_alone_are_told_apart() -> None:
    assert likeness.words("👍 👍") == ["👍", "👍"]
    assert of("👍").same != of("👎").same
    assert of("👍").same == of(" 👍 ").same


def test_the_same_is_of_one_visitor_in_one_thread() -> None:
    assert len({of("Hello").same, of("Hello", "w").same, of("Hello", "v", ThreadId(2)).same}) == 3


def test_a_sketch_is_small_keyed_and_the_same_on_every_worker() -> None:
    assert len(of(LONG).sketch) == KEPT
    assert of(LONG) == Keyring("a secret for tests only").likeness(LONG, THREAD, "v")
    assert not {*of(LONG).sketch} & {*Keyring("another secret for tests").likeness(LONG, THREAD, "v").sketch}
