"""What a person sees while things are prepared: one line per step, with the seconds it took and, when it fails, the end of its log."""

import re
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

STARTED = time.monotonic()
# A step that says nothing for this long looks stuck, so its latest output is shown.
HEARTBEAT_SECONDS = 15
TAIL_LINES = 30


class Failure(Exception):
    """Something that the person at the keyboard can mend; its text says how."""


def say(text: str) -> None:
    """Progress goes to stderr, because stdout belongs to what a command was asked for."""
    print(f"{time.monotonic() - STARTED:6.1f} s  {text}", file=sys.stderr, flush=True)


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log, for the message of a failure."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


def _latest(log: Path, showing: str, of: int) -> str:
    found = re.findall(showing, log.read_text(errors="replace"), re.MULTILINE) if log.exists() else []
    if not found:
        return ""
    return f": {f'{len(dict.fromkeys(found))} of {of}, ' if of else ''}{found[-1].strip()[:100]}"


@contextmanager
def step(title: str, log: Path | None = None, showing: str = r"^.*\S.*$", of: int = 0):
    """Shows that a step begins, that it goes on (with the latest of what matches `showing` in its log, and of how many), and how long it took."""
    begun = time.monotonic()
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            say(f"… {title}, {time.monotonic() - begun:.0f} s{_latest(log, showing, of) if log else ''}")

    say(f"→ {title}")
    beating = threading.Thread(target=beat, daemon=True)
    beating.start()
    try:
        yield
    except Failure:
        say(f"✗ {title} failed after {time.monotonic() - begun:.1f} s")
        raise
    finally:
        over.set()
        beating.join()
    say(f"✓ {title} ({time.monotonic() - begun:.1f} s)")
