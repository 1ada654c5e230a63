"""The Chinese README says what the English one says, section by section: the same commands, the same links."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
SPOKEN = re.compile(r" ?--lang (zh|en)")


class Section(NamedTuple):
    """What of a section is the same in every language. blocks: the first line of each, which is the command."""

    blocks: list[str]
    code: set[str]
    links: set[str]
    bold: int


def sections(name: str) -> list[Section]:
    found = []
    for text in re.split(r"^## ", (ROOT / name).read_text("utf-8"), flags=re.M):
        blocks = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
        prose = re.sub(r"^```\n.*?^```", "", text, flags=re.M | re.S)
        spans = {SPOKEN.sub("", " ".join(span.split())) for span in re.findall(r"`([^`]+)`", prose)} - {""}
        links = {link for link in re.findall(r"\]\(([^)]+)\)", prose) if not link.startswith("README")}
        commands = [SPOKEN.sub("", block.split("\n")[0]) for block in blocks]
        found.append(Section(commands, spans, links, prose.count("**") // 2))
    return found


SECTIONS = list(zip(sections("README.md"), sections("README.zh.md"), strict=True))


@pytest.mark.parametrize(("english", "chinese"), SECTIONS)
def test_a_section_shows_and_links_the_same(english, chinese):
    assert english == chinese


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_what_is_linked_is_there(name):
    links = {link for section in sections(name) for link in section.links if "://" not in link}
    assert [link for link in sorted(links) if not (ROOT / link).exists()] == []
