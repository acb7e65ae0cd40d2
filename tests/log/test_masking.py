import io
import json
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from vastflow.log import MASK, Masker, mask_secrets, setup


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
