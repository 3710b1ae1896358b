"""Whatever a name holds, it is text on the page."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from cl3d.html.document import document
from cl3d.html.markup import definitions, details, joined, json_block, paragraph, section, table

NASTY = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "</table><h1>",
    "<!-- {} {0} %s",
    "a & b < c > d",
)


class Tags(HTMLParser):
    """The tags and attributes of a page, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("text", NASTY)
def test_text_is_escaped_everywhere(text):
    pieces = [
        table([text, "b"], [[text, text], [text, 3]], text),
        definitions([(text, text)]),
        details(text, paragraph(text, "quiet")),
        section(text, paragraph(text), anchor="here"),
        joined([text]),
    ]
    harmless = [
        table(["a", "b"], [["a", "a"], ["a", 3]], "a"),
        definitions([("a", "a")]),
        details("a", paragraph("a", "quiet")),
        section("a", paragraph("a"), anchor="here"),
        joined(["a"]),
    ]
    for piece, plain in zip(pieces, harmless, strict=True):
        got, wanted = Tags(str(piece)), Tags(str(plain))
        assert (got.tags, got.attributes) == (wanted.tags, wanted.attributes)
        assert text in got.text


@pytest.mark.parametrize("text", NASTY)
def test_data_cannot_end_its_block(text):
    block = str(json_block("clouds", {"name": text}))
    assert block.count("</script") == 1
    assert json.loads(re.fullmatch(r"<script[^>]*>(.*)</script>", block)[1]) == {"name": text}


def test_a_page_stands_alone():
    page = document("<a>", paragraph("b"))
    assert "<title>&lt;a&gt;</title>" in page
    assert not re.findall(r"(?:src|href)=['\"]?(?!data:)[a-z]", page)
    assert not re.search(r"https?://|@import|url\(", page)
    assert "default-src 'none'" in page.replace("&#39;", "'")


def test_numbers_stand_to_the_right():
    shown = str(table(["a", "b", "c", "d"], [["x", 1.5, "12 %", None], ["y", "text", "−3", "–"]]))
    assert shown.count("<td class=number>") == 4
    assert "<td>text</td>" in shown
    assert "<td></td>" in shown
