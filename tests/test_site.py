"""The documentation site builds without a warning, and asks no other server for anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from rule_pages import with_menu

ROOT = Path(__file__).parent.parent
CONFIGURATION = ROOT / "zensical.toml"
SITE: dict[str, Any] = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))["project"]
DOCS = ROOT / SITE["docs_dir"]
PAGES = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
NOWHERE = "http://127.0.0.1:9"  # the discard port: whoever asks the network gets no answer


def menu(entries: list[Any]) -> Iterator[str]:
    """The pages of a menu and of those in it."""
    for entry in entries:
        if isinstance(entry, str):
            yield entry
            continue
        for value in entry.values():
            yield from [value] if isinstance(value, str) else menu(value)


def test_every_page_is_in_the_menu_once() -> None:
    """And nothing else is."""
    listed = list(menu(SITE["nav"]))
    assert sorted(listed) == sorted(PAGES)


def test_the_menu_of_rules_is_fresh() -> None:
    """As ``python docs/generate.py`` writes it."""
    text = CONFIGURATION.read_text(encoding="utf-8")
    assert with_menu(text) == text


def test_the_built_site_is_not_committed() -> None:
    """Git ignores its folder."""
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert f"/{SITE['site_dir']}/" in ignored


class Asked(HTMLParser):
    """What a page loads: scripts, styles, pictures, frames; and its links."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Sort the addresses of a tag."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a":
            self.links += [given["href"]] if "href" in given else []
        elif tag == "link" and given.get("rel") in {"canonical", "prev", "next"}:
            return
        else:
            self.loads += [
                given[name] for name in ("src", "href", "srcset", "data") if name in given
            ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, from a copy of what it is made of, without a network."""
    if find_spec("zensical") is None:
        pytest.skip("the site is built with the extra docs")
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(CONFIGURATION, folder)
    shutil.copytree(DOCS, folder / SITE["docs_dir"])
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), NOWHERE)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    ran = subprocess.run(
        command, cwd=folder, env={**os.environ, **proxies}, check=False, timeout=120,
        capture_output=True, encoding="utf-8",
    )  # fmt: skip
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    assert "No issues found" in said
    assert "arning" not in said
    return folder / str(SITE["site_dir"])


@pytest.fixture(scope="module")
def pages(built: Path) -> dict[str, Asked]:
    """What every page asks for, by its path."""
    found = {}
    for path in built.rglob("*.html"):
        asked = Asked()
        asked.feed(path.read_text(encoding="utf-8"))
        found[path.relative_to(built).as_posix()] = asked
    return found


def test_every_page_is_built(pages: dict[str, Asked]) -> None:
    """Each from its Markdown, and the page for addresses that there are not."""
    assert set(pages) == {page.removesuffix(".md") + ".html" for page in PAGES} | {"404.html"}


def test_nothing_else_is_published(built: Path) -> None:
    """No script of docs/ comes along."""
    assert {path.suffix for path in built.rglob("*") if path.is_file()} <= {
        ".html", ".css", ".js", ".json", ".png", ".svg", ".xml", "",
    }  # fmt: skip


def test_pages_load_from_their_own_site_alone(pages: dict[str, Asked], built: Path) -> None:
    """Scripts, styles and pictures are files of the site; styles load no others from elsewhere."""
    for name, asked in pages.items():
        foreign = [address for address in asked.loads if re.match(r"(https?:)?//", address)]
        assert foreign == [], name
        if name != "404.html":  # its addresses begin at the root of whatever server it is on
            for address in asked.loads:
                path = (built / name).parent / address.partition("?")[0].partition("#")[0]
                assert path.exists() or address.startswith("data:"), f"{name}: {address}"
    for style in built.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\(\s*[\"']?(https?:)?//", text), style


def test_links_of_the_built_site_lead_somewhere(pages: dict[str, Asked], built: Path) -> None:
    """To files, and to headings that are there."""
    for name, asked in pages.items():
        if name == "404.html":
            continue
        for link in asked.links:
            if re.match(r"https?://", link):
                continue
            target, _, anchor = link.partition("#")
            path = ((built / name).parent / target).resolve() if target else built / name
            path = path / "index.html" if path.is_dir() else path
            assert path.is_file(), f"{name}: {link}"
            anchors = pages[path.relative_to(built.resolve()).as_posix()].anchors
            assert not anchor or anchor in anchors | {"__skip"}, f"{name}: {link}"
