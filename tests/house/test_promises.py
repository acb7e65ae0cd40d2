"""Is every promise of this release held by a test?"""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.house.promises import COVERED, ROOT, SEMANTICS, TABLE, Held, complaints, held, paragraphs, table


def test_no_promise_of_this_release_is_without_a_test() -> None:
    assert complaints(paragraphs(SEMANTICS.read_text("utf-8")), held(ROOT / "tests")) == []


def test_the_table_of_promises_is_up_to_date() -> None:
    fresh = table(paragraphs(SEMANTICS.read_text("utf-8")), held(ROOT / "tests"))

    assert TABLE.read_text("utf-8") == fresh, "write it anew: python -m tests.house.promises"


def test_paragraphs_are_known_by_their_number_and_first_words() -> None:
    text = "## 4. A river\n\n**4.1** It flows. Then more.\n\n- **4.10** A | B: so\n\nsee **4.3** within a line\n"

    assert paragraphs(text) == {"4.1": "It flows.", "4.10": "A \\| B:"}


def test_long_beginnings_are_cut_between_words() -> None:
    (said,) = paragraphs("**4.1** " + "water " * 40).values()

    assert said.endswith("water ...")
    assert len(said) < 100


def test_marks_of_a_test_its_class_and_its_page_count(tmp_path: Path) -> None:
    page = """
        import pytest
        pytestmark = [pytest.mark.slow, pytest.mark.promise("1.1")]
        @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.promise("2.2")), 2])
        @pytest.mark.promise("3.3", "4.4")
        def test_a(x): ...
        @pytest.mark.promise("5.5")
        class TestB:
            async def test_c(self): ...
        @pytest.mark.promise("6.6")
        def no_test(): ...
    """
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "test_river.py").write_text(dedent(page), "utf-8")

    found = held(tmp_path)

    assert {mark.page for mark in found} == {"course/test_river.py"}
    assert {(mark.test, mark.paragraph) for mark in found} == {
        ("test_a", "1.1"),
        ("test_a", "2.2"),
        ("test_a", "3.3"),
        ("test_a", "4.4"),
        ("test_c", "1.1"),
        ("test_c", "5.5"),
    }


def test_a_covered_paragraph_without_a_test_is_a_complaint() -> None:
    says = dict.fromkeys(COVERED, "It says.")
    marks = [Held(number, "test_all.py", "test_it") for number in COVERED - {"4.2"}]

    assert complaints(says, marks, owed=frozenset()) == ["4.2 is covered, but no test holds it"]
    assert complaints(says, marks, owed=frozenset({"4.2"})) == []


@pytest.mark.parametrize(
    ("says", "owed", "complaint"),
    [
        (COVERED - {"4.2"}, frozenset[str](), "4.2 is covered, but docs/semantics.md has no such paragraph"),
        (COVERED, frozenset({"4.2"}), "4.2 is owed, but a test holds it: take it off OWED"),
        (COVERED - {"4.2"}, frozenset[str](), "tests/test_all.py: test_it: no paragraph 4.2"),
    ],
)
def test_lists_that_disagree_are_a_complaint(says: frozenset[str], owed: frozenset[str], complaint: str) -> None:
    marks = [Held(number, "test_all.py", "test_it") for number in COVERED]

    assert complaint in complaints(dict.fromkeys(says, "It says."), marks, owed=owed)


def test_the_table_shows_what_is_held_what_is_owed_and_what_comes_later() -> None:
    says = {"4.1": "It flows.", "4.2": "It polls.", "13.9": "It goes on."}

    shown = table(says, [Held("4.1", "course/test_river.py", "test_it_flows")])

    assert "| 4.1 | It flows. | [course/test_river.py](../tests/course/test_river.py) it flows |\n" in shown
    assert "| 4.2 | It polls. | **none yet** |\n" in shown
    assert "| 13.9 | It goes on. | *(not yet)* |\n" in shown
