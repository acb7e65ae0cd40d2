"""Does every link between the documents lead somewhere?"""

import re
from pathlib import Path

import pytest

from tests.docs.test_blocks import PAGES
from tests.house.promises import SEMANTICS, paragraphs
from tests.house.source import ROOT, label

LINK = re.compile(r"\]\((?P<inline>[^)\s]+)\)|^\[[^\]]+\]: (?P<reference>\S+)$", re.MULTILINE)
NUMBER = re.compile(r"\[(\d+\.\d+)\]")


def prose(page: Path) -> str:
    """Return a page without its blocks and without what stands in backticks."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return what a link may name behind a #: the headings as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_every_link_leads_to_a_file_and_a_heading_there_are(page: Path) -> None:
    links = [link["inline"] or link["reference"] for link in LINK.finditer(prose(page))]

    for link in links:
        if not re.match(r"\w+:", link):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert target.is_relative_to(ROOT), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_every_paragraph_that_is_named_is_there_and_linked(page: Path) -> None:
    named = set(NUMBER.findall(prose(page)))

    assert named <= paragraphs(SEMANTICS.read_text("utf-8")).keys()
    assert all(f"\n[{number}]: semantics.md#{number.partition('.')[0]}-" in page.read_text("utf-8") for number in named)
