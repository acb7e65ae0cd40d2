"""What does KEY=VALUE mean?"""

import click
import pytest

from vastflow.cli.given import texts, value, values


def test_a_value_is_json_where_it_is_json_and_else_a_text() -> None:
    written = ["count=3", "ready=true", "note=ready", 'text="3"', "list=[1, 2]", "equation=a=b", "empty="]

    assert values(written) == {
        "count": 3, "ready": True, "note": "ready", "text": "3", "list": [1, 2], "equation": "a=b", "empty": "",
    }  # fmt: skip
    assert texts(["count=3"]) == {"count": "3"}


def test_json_that_is_nested_without_end_is_a_text() -> None:
    assert value("[" * 100_000) == "[" * 100_000


@pytest.mark.parametrize("written", ["count", "=3", ""])
def test_what_has_no_key_is_a_usage_error(written: str) -> None:
    with pytest.raises(click.UsageError, match="is not KEY=VALUE"):
        values([written])
