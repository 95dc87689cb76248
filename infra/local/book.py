"""The book: docs/ and the pages beside it that docs/SUMMARY.md names, as one site in .local/book."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import processes
from console import Failure
from places import BOOK, DOCS, LOCAL, ROOT, environment

LAID = LOCAL / "book-pages"
# Of a page in Markdown: [words](where), also around a picture.
LINK = re.compile(r"\]\(([^)\s]+)\)")


def build(log: Path) -> Path:
    """Builds it anew, and returns where it begins."""
    pages = _lay()
    shutil.rmtree(BOOK, ignore_errors=True)
    log.unlink(missing_ok=True)
    processes.run(["mdbook", "build", "--dest-dir", BOOK, LAID], log=log, env=environment(), cwd=ROOT)
    if warnings := re.findall(r"^.*\b(?:WARN|ERROR)\b.*$", log.read_text(errors="replace"), re.MULTILINE):
        raise Failure("\n".join(["mdBook warns:", *warnings]))
    # mdBook repeats its first page there, with links that lead on from where that page stands.
    (BOOK / "index.html").write_text(f'<meta http-equiv="refresh" content="0; url={pages[0].with_suffix(".html")}">\n')
    if dead := _dead_links():
        raise Failure("\n".join(["These links of the book lead nowhere:", *dead]))
    return BOOK / "index.html"


def _lay() -> list[Path]:
    """Lays the pages, and whatever else they link to, into one folder as they stand in the repository, where mdBook sees nothing outside its own. Returns the pages."""
    shutil.rmtree(LAID, ignore_errors=True)
    source = LAID / "src"
    source.mkdir(parents=True)
    for name in ("book.toml", "tables.css", "tables.js"):
        shutil.copy(DOCS / name, LAID / name)
    summary = (DOCS / "SUMMARY.md").read_text()
    pages = [_plain(DOCS, link) for link in LINK.findall(summary)]
    (source / "SUMMARY.md").write_text(LINK.sub(lambda found: f"]({_plain(DOCS, found[1])})", summary))
    for page in pages:
        text = (ROOT / page).read_text()
        linked = [_plain((ROOT / page).parent, link.split("#")[0]) for link in LINK.findall(text) if _is_file(link)]
        for path in [page, *linked]:
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / path).is_file():
                shutil.copy(ROOT / path, source / path)
            elif (ROOT / path).is_dir():
                shutil.copytree(ROOT / path, source / path, dirs_exist_ok=True)
    return pages


def _is_file(link: str) -> bool:
    return not link.startswith("#") and "://" not in link and not link.startswith("mailto:")


def _plain(folder: Path, link: str) -> Path:
    """A link from a folder, as a path from the repository's root."""
    return (folder / link).resolve().relative_to(ROOT)


class _Page(HTMLParser):
    """Where a page leads, and what it can be led to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if given.get("id"):
            self.ids.add(given["id"])
        for name in ("href", "src"):
            if given.get(name) and tag in ("a", "img"):
                self.links.append(given[name])


def _dead_links() -> list[str]:
    pages = {}
    # print.html holds all pages once more, with the links that each has where it stands.
    for path in (path for path in BOOK.rglob("*.html") if path.name not in ("print.html", "404.html", "toc.html")):
        page = _Page()
        page.feed(path.read_text())
        pages[path] = page
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists() or (parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids):
                dead.append(f"  {path.relative_to(BOOK)}: {link}")
    return dead
