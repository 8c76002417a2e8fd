"""The keyring: everything derived from one secret, for one purpose each, and always the same."""

import re
import uuid

from service.keyring import Keyring
from service.protocol import ThreadId

OP = "0b7ad0b5-5b1c-4f2f-9a33-0d35c66c1f33"
OTHER = "0b7ad0b5-5b1c-4f2f-9a33-0d35c66c1f34"
ONE, TWO = ThreadId(1), ThreadId(2)
RING = Keyring("a secret for tests only")


def test_a_repeated_act_gets_the_same_key_and_tag_from_any_worker() -> None:
    again = Keyring("a secret for tests only")
    key = RING.author_key(ONE, OP)
    assert again.author_key(ONE, OP) == key
    assert again.op_tag(key) == RING.op_tag(key)
    assert again.site == RING.site


def test_keys_differ_by_secret_thread_and_op() -> None:
    keys = {
        RING.author_key(ONE, OP),
        RING.author_key(TWO, OP),
        RING.author_key(ONE, OTHER),
        Keyring("another secret for tests").author_key(ONE, OP),
    }
    assert len(keys) == 4
    assert len({RING.op_tag(key) for key in keys}) == 4


def test_a_key_fits_the_wire_and_needs_no_escaping() -> None:
    key = RING.author_key(ONE, OP)
    assert len(key) == 32
    assert key.replace("-", "").replace("_", "").isalnum()


def test_a_poster_has_one_tag_in_a_thread_and_another_elsewhere() -> None:
    one, two = RING.visitor("192.0.2.7", "x").address, RING.visitor("192.0.2.8", "x").address
    mine = RING.poster_tag(ONE, one)
    assert re.fullmatch("[0-9a-v]{4}", mine)
    assert mine == Keyring("a secret for tests only").poster_tag(ONE, one)
    others = {RING.poster_tag(ThreadId(no), each) for no in range(2, 100) for each in (one, two)}
    assert mine not in others | {RING.poster_tag(ONE, two), Keyring("another secret for tests").poster_tag(ONE, one)}
    assert len(others) > 190, "hardly any two are the same"


def test_purposes_are_kept_apart() -> None:
    made = {
        RING.visitor("x", "x").limit,
        RING.visitor("x", "x").address.hex(),
        RING.visitor("x", "x").network.hex(),
        RING.text_tag("x").hex(),
        RING.op_tag("x").hex,
        Keyring("x" * 16).text_tag("x").hex(),
    }
    assert len(made) == 6


def test_nothing_made_holds_what_it_was_made_of() -> None:
    visitor = RING.visitor("192.0.2.7", "192.0.2.0/24")
    assert "192.0.2" not in visitor.limit
    assert b"192.0.2" not in visitor.address + visitor.network
    assert [len(each) for each in visitor] == [32, 16, 16]
    assert OP not in RING.author_key(ONE, OP)
    assert len(RING.text_tag("words" * 1000)) == 16
    assert len(RING.site) == 12


def test_a_visitor_is_the_same_to_every_worker_and_another_under_another_secret() -> None:
    given = ("192.0.2.7", "192.0.2.0/24")
    assert RING.visitor(*given) == Keyring("a secret for tests only").visitor(*given)
    assert not set(RING.visitor(*given)) & set(Keyring("another secret for tests").visitor(*given))


def test_who_shares_a_net_shares_its_hash_alone() -> None:
    one, two = RING.visitor("192.0.2.7", "192.0.2.0/24"), RING.visitor("192.0.2.8", "192.0.2.0/24")
    assert one.network == two.network
    assert one.address != two.address
    assert one.limit != two.limit


def test_one_address_reports_two_comments_under_two_hashes() -> None:
    one, two = RING.visitor("192.0.2.7", "192.0.2.0/24"), RING.visitor("192.0.2.8", "192.0.2.0/24")
    assert RING.reporter(one, 7, "report") == RING.reporter(one, 7, "report")
    others = [RING.reporter(one, 8, "report"), RING.reporter(two, 7, "report"), RING.reporter(one, 7, "appeal")]
    assert len({RING.reporter(one, 7, "report"), *others, *one[1:]}) == 6
    assert RING.report_op(others[0]).bytes != others[0]


def test_a_forms_op_stands_for_words_address_thread_and_hour() -> None:
    op = RING.form_op("192.0.2.7", ONE, "Hi", 7)
    assert op == RING.form_op("192.0.2.7", ONE, "Hi", 7)
    assert uuid.UUID(op).version == 4
    assert str(uuid.UUID(op)) == op
    others = [
        RING.form_op("192.0.2.8", ONE, "Hi", 7),
        RING.form_op("192.0.2.7", TWO, "Hi", 7),
        RING.form_op("192.0.2.7", ONE, "Ho", 7),
        RING.form_op("192.0.2.7", ONE, "Hi", 8),
    ]
    assert len({op, *others}) == 5


def test_secrets_and_texts_may_be_in_any_script() -> None:
    assert Keyring("пароль из шестнадцати знаков").text_tag("नमस्ते 😀") != RING.text_tag("नमस्ते 😀")
