"""The documentation site: it builds without a warning, is whole, and loads nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest

import salientclips
from browser import PHONE, Watched, launched
from test_architecture import FLOORS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
ELSEWHERE = re.compile(r"(?:https?:)?//")


def script(path: str) -> ModuleType:
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def words(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


# --- what needs no build ------------------------------------------------------------------------------------


def test_the_readme_is_short_and_has_the_two_commands_of_the_gate() -> None:
    readme = words("README.md")
    assert len(readme.splitlines()) <= 120
    assert len(re.findall(r"^```sh$", readme, re.M)) == 2


def test_the_command_reference_is_what_the_command_line_knows() -> None:
    made = script("tools/make_command_reference.py")
    assert made.page() == words("docs/reference/commands.md"), "run tools/make_command_reference.py"


def test_the_picture_of_the_readme_is_drawn_from_the_committed_table() -> None:
    drawn = script("benchmarks/front_picture.py")
    assert drawn.picture() == drawn.TARGET.read_text(encoding="utf-8"), "run benchmarks/front_picture.py"


@pytest.mark.parametrize("name", salientclips.__all__)
def test_every_public_name_is_in_the_reference_once(name: str) -> None:
    pages = "\n".join(p.read_text(encoding="utf-8") for p in sorted((DOCS / "reference").glob("*.md")))
    assert len(re.findall(rf"^::: salientclips\.{name}$", pages, re.M)) == 1


def test_every_picture_is_well_formed_and_shown() -> None:
    shown = words("README.md") + "".join(p.read_text(encoding="utf-8") for p in DOCS.rglob("*.md"))
    for picture in sorted((DOCS / "pictures").glob("*.svg")):
        assert f"pictures/{picture.name})" in shown
        root = ElementTree.parse(picture).getroot()
        assert root.find("{http://www.w3.org/2000/svg}title") is not None, f"{picture.name} has no title"
        sizes = re.findall(r"font-size=['\"](\d+)", picture.read_text(encoding="utf-8"))
        assert min(map(int, sizes)) >= 14


@pytest.mark.parametrize(
    "term", ["Clip", "GOP", "Motion displacement (MD)", "Residual", "Saliency", "Oracle"]
)
def test_each_of_the_six_concepts_has_a_drawing(term: str) -> None:
    section = words("docs/concepts.md").split(f"### {term}\n")[1].split("\n#")[0]
    assert "](pictures/" in section


@pytest.mark.parametrize("room", FLOORS)
def test_contributing_shows_every_room(room: str) -> None:
    house = words("CONTRIBUTING.md").split("```text")[1].split("```")[0]
    assert re.search(rf"(^|\s){room}\s", house)


def test_contributing_names_files_that_exist() -> None:
    places = (ROOT, ROOT / "src" / "salientclips", DOCS)
    text = re.sub(r"```.*?```", "", words("CONTRIBUTING.md"), flags=re.S)
    named = re.findall(r"`((?:[\w-]+/)+[\w.-]+\.(?:py|md|sh|cpp))`", text)
    assert len(named) > 20
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_the_benchmarks_page_names_every_script() -> None:
    page = words("benchmarks/README.md")
    names = [p.name for p in sorted((ROOT / "benchmarks").glob("*.py")) if p.name != "__init__.py"]
    assert [n for n in names if n not in page and f"benchmarks.{Path(n).stem} " not in page] == []


# --- the site -----------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a page of the site loads, links to, and offers to be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if "id" in values:
            self.anchors.add(values["id"])
        if tag == "a":
            self.links += [values["href"]] if "href" in values else []
            return
        self.loads += [values[name] for name in ("src", "srcset", "href", "data") if values.get(name)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as the gate builds it."""
    for module in ("mkdocs", "material", "mkdocstrings"):
        pytest.importorskip(module, reason=f"{module} is not installed: pip install 'salientclips[docs]'")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}


@pytest.mark.usefixtures("site")
def test_every_page_is_in_the_navigation() -> None:
    from mkdocs.config import load_config

    def leaves(node: Any) -> Iterator[str]:
        if isinstance(node, str):
            yield node
        else:
            for one in node.values() if isinstance(node, dict) else node:
                yield from leaves(one)

    in_nav = set(leaves(load_config(str(ROOT / "mkdocs.yml"))["nav"]))
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert there - in_nav == set(), "put them into nav of mkdocs.yml"


def test_every_public_name_has_its_place(pages: dict[Path, Page], site: Path) -> None:
    offered = set().union(
        *(page.anchors for path, page in pages.items() if path.is_relative_to(site / "reference"))
    )
    assert [n for n in salientclips.__all__ if f"salientclips.{n}" not in offered] == []


def test_no_page_loads_from_another_host(pages: dict[Path, Page], site: Path) -> None:
    assert {(p.name, u) for p, page in pages.items() for u in page.loads if ELSEWHERE.match(u)} == set()
    for sheet in site.rglob("*.css"):
        found = re.findall(
            r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^)\"']+)", sheet.read_text(encoding="utf-8")
        )
        assert found == [], sheet.name


def test_every_link_within_the_site_leads_somewhere(pages: dict[Path, Page], site: Path) -> None:
    lost = []
    for path, page in pages.items():
        if path.name == "404.html":  # its links count from the root of a server
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].anchors):
                lost.append(f"{path.relative_to(site)}: {link}")
    assert lost == []


def test_lists_and_tables_are_read_as_on_github(site: Path) -> None:
    """Python-Markdown would leave the marks of a list or a table that follows a line of text at once."""
    for path in site.rglob("*.html"):
        for paragraph in re.findall(r"<p>(.*?)</p>", path.read_text(encoding="utf-8"), re.S):
            assert not re.search(r"\n\s*([-*] |\d+\. |\|)", paragraph), (
                f"{path.relative_to(site)}: {paragraph[:200]}"
            )


# --- in a browser -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where a server of this machine has the site."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def test_the_front_page_and_the_search_work_in_a_browser(address: str) -> None:
    with launched() as browser:
        watch = Watched(browser)
        page = watch.open(address, waits_for_video=False)
        assert page.locator("h1").first.inner_text().startswith("salientclips")
        watch.wait("document.querySelector('article img').naturalWidth > 300")
        page.locator("input.md-search__input").click()
        page.keyboard.type("residual", delay=20)
        page.locator(".md-search-result__item a[href*='concepts']").first.wait_for()
        watch.check(address)
        watch.close()


@pytest.mark.parametrize("page", ["", "tutorial/classify/", "concepts/", "reference/score/"])
def test_no_page_is_wider_than_a_phone(address: str, page: str) -> None:
    with launched() as browser:
        watch = Watched(browser, size=PHONE)
        watch.open(address + page, waits_for_video=False)
        assert watch.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        watch.check(address)
        watch.close()
