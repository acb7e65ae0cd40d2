import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from vastflow.drawing import Secret, storable
from vastflow.drawing.values import encode
from vastflow.log import MASK, BodyFields, Masker, in_body, leave, mask_secrets, setup


def masked(**event: Any) -> dict[str, Any]:
    return dict(mask_secrets(None, "info", event))


@pytest.mark.promise("12.5")
@pytest.mark.parametrize(
    "key",
    [
        "password",
        "db_password",
        "PASSWORD_2",
        "auth_token",
        "Token",
        "client-secret",
        "api_key",
        "X-API-Key",
        "apiKey",
        "stripeAPIKey",
        "private_key",
        "ssh.private.key",
        "privateKeyPem",
        "access_token_id",
    ],
)
def test_telling_keys_are_secret_in_every_spelling(key: str) -> None:
    assert mask_secrets.matches(key)


@pytest.mark.parametrize("key", ["event", "flow", "key", "image", "passport", "publicKey", "primary_key", ""])
def test_other_keys_are_not_secret(key: str) -> None:
    assert not mask_secrets.matches(key)


@pytest.mark.promise("12.5")
def test_secrets_are_masked_however_deep_they_lie() -> None:
    event = masked(
        event="asked",
        password="hunter2",  # noqa: S106  # an example of a secret
        request={"url": "x", "headers": [{"auth_token": b"abc", b"api_key": 17}], "both": ({"secret": {"a": 1}},)},
    )

    assert event == {
        "event": "asked",
        "password": MASK,
        "request": {"url": "x", "headers": [{"auth_token": MASK, b"api_key": MASK}], "both": ({"secret": MASK},)},
    }


def test_a_secret_that_is_not_set_is_shown_as_none() -> None:
    assert masked(event="x", token=None) == {"event": "x", "token": None}


@pytest.mark.promise("12.5")
def test_a_secret_of_an_event_is_masked_in_its_texts_too() -> None:
    event = masked(event="try abc-123", token="abc-123", level="info", note=["with abc-123"])  # noqa: S106  # an example

    assert event == {"event": "try ***", "token": MASK, "level": "info", "note": ["with ***"]}


def test_the_names_lines_are_found_by_are_never_masked() -> None:
    event = masked(event="x", level="info", flow="info", token="info")  # noqa: S106  # an unlucky secret

    assert (event["level"], event["flow"]) == ("info", "info")


@pytest.mark.promise("12.5")
def test_known_secrets_are_masked_in_free_text_in_any_spelling() -> None:
    water = {"image": "debian", "db": {"password": "p@ss 'word'\n"}, "token": "abcd", "pin_token": 123456}
    text = f"bad {water['db']} at postgres://u:p%40ss%20%27word%27%0A@h abcdabcd 123456 debian"

    found = mask_secrets.text(text, mask_secrets.secrets(water))

    assert "p@ss" not in found
    assert "p%40ss" not in found
    assert "abcd" not in found
    assert "123456" not in found
    assert found.endswith("debian")


def test_a_secret_within_a_longer_one_leaves_nothing_of_it() -> None:
    assert mask_secrets.text("key: abcdefgh", ["abcd", "abcdefgh"]) == "key: ***"


def test_values_shorter_than_four_characters_are_left_in_texts() -> None:
    assert mask_secrets.text("no 1 knows", ["1", "no", "", "now"]) == "no 1 knows"


@pytest.mark.promise("12.5")
@given(st.text(min_size=4), st.text(), st.text())
def test_no_known_secret_survives_in_a_text(secret: str, before: str, after: str) -> None:
    found = Masker().text(f"{before}{secret}{after}", [secret])

    assert secret not in found.replace(MASK, "") or set(secret) <= set(MASK)


@storable
@dataclass
class Login:
    user: str
    pin: Secret
    password: str = "hunter2"  # noqa: S105  # an example of a secret


class Shy:
    """A dataclass as far as can be seen, whose attribute cannot be read."""

    __dataclass_fields__ = Login.__dataclass_fields__

    @property
    def user(self) -> str:
        """Refuse."""
        raise ValueError


@pytest.mark.promise("12.5")
def test_a_secret_is_masked_wherever_it_lies_in_an_event() -> None:
    secret = Secret("abc-123")

    event = masked(event="try abc-123", mine=secret, more=[(secret, {"a": {secret}})], said={"abc-123", "b"})

    assert event == {"event": "try ***", "mine": MASK, "more": [(MASK, {"a": {MASK}})], "said": {MASK, "b"}}


@pytest.mark.promise("12.5")
def test_a_line_with_an_object_that_holds_a_secret_does_not_show_it() -> None:
    stream = io.StringIO()
    setup(json=True, stream=stream)

    structlog.get_logger().info("asked", login=Login("a", Secret("abc-123"), ""), pin=Secret("abc-123"))

    assert "abc-123" not in stream.getvalue()
    assert "Secret('*****')" in stream.getvalue()


@pytest.mark.promise("12.5")
def test_what_a_body_reveals_is_masked_in_its_lines_and_texts_until_its_end() -> None:
    before, inside = Secret("before-1").reveal(), BodyFields("order-17")
    token = in_body(inside)
    try:
        revealed = Secret("abc-123").reveal()
        event = masked(event=f"{before}: log in with {revealed}", more=[revealed])
        text = Masker(patterns=[]).text(f"no {revealed} here", ())
    finally:
        leave(token)

    assert event == {"event": "before-1: log in with ***", "more": [MASK]}
    assert text == "no *** here"
    assert masked(event=revealed) == {"event": "abc-123"}


@pytest.mark.promise("12.5")
def test_no_body_knows_what_another_has_revealed() -> None:
    leave(in_body(BodyFields("one")))
    token = in_body(BodyFields("one"))
    Secret("abc-123").reveal()
    leave(token)

    token = in_body(BodyFields("two"))
    try:
        assert masked(event="abc-123") == {"event": "abc-123"}
    finally:
        leave(token)


@pytest.mark.promise("12.5")
def test_the_texts_of_secrets_are_found_in_all_that_can_be_stored() -> None:
    deep: Any = [Secret("deep")]
    for _ in range(90):
        deep = [deep]
    water = {"a": Secret("alone"), "b": [(Secret("listed"),), {Secret("in a set")}], "c": deep}
    water["d"] = {"e": frozenset({Secret("frozen")}), "f": Login("me", Secret("in an object"))}

    found = mask_secrets.secrets(water)

    assert found == {"alone", "listed", "in a set", "deep", "frozen", "in an object", "hunter2"}
    assert mask_secrets.secrets([Shy(), Login]) == frozenset()


@pytest.mark.promise("12.5")
@pytest.mark.parametrize("masker", [mask_secrets, Masker(patterns=[])], ids=["usual patterns", "no patterns"])
def test_stored_secrets_are_found_and_masked_too(masker: Masker) -> None:
    stored = json.loads(encode({"a": Secret("abc-123"), "b": [Login("me", Secret("def-456"), "")]}))

    shown = masker.mask(stored)

    assert masker.secrets(stored) >= {"abc-123", "def-456"}
    assert str(shown).count(MASK) == str(stored).count("$secret") + masker.matches("password")
    assert "abc-123" not in str(shown)
    assert "def-456" not in str(shown)


def test_what_holds_itself_is_gone_through_once() -> None:
    ring: dict[str, Any] = {"token": ["abcd"]}
    ring["token"].append(ring)
    ring["me"] = ring

    assert mask_secrets.secrets(ring) == {"abcd"}


@pytest.mark.promise("12.5")
def test_which_keys_are_secret_can_be_chosen() -> None:
    masker = Masker(patterns=["iban", "*_pin"])

    assert masker.matches("IBAN")
    assert masker.matches("card_pin")
    assert not masker.matches("password")
    assert not Masker(patterns=[]).matches("password")


@pytest.mark.promise("12.5")
def test_setup_masks_with_the_masker_it_is_given() -> None:
    stream = io.StringIO()
    setup(json=True, stream=stream, masker=Masker(["iban"]))

    structlog.get_logger().info("paid", iban="DE12", token="shown")  # noqa: S106  # not a secret for this masker

    line = json.loads(stream.getvalue())
    assert (line["iban"], line["token"]) == (MASK, "shown")


def test_the_users_own_objects_are_not_changed() -> None:
    request = {"headers": [{"token": "abcd"}]}

    masked(event="x", request=request)

    assert request == {"headers": [{"token": "abcd"}]}


def test_what_lies_too_deep_to_be_looked_through_is_not_shown() -> None:
    deep: dict[str, Any] = {"password": "hunter2"}
    ring: list[Any] = []
    ring.append(ring)
    for _ in range(20):
        deep = {"in": deep}

    event = masked(event="x", deep=deep, ring=ring)

    assert "hunter2" not in str(event)
    assert MASK in str(event["ring"])
