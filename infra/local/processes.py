"""Child processes that never outlive this one.

Each child leads a process group of its own: Ctrl-C reaches only us, and we end the groups in our own order. ministack starts the
functions inside its group, so ending the group ends them too.
"""

import ctypes
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

from console import Failure, tail

# What a child gets to end by itself before it is killed.
GRACE_SECONDS = 5
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None)
_children: list[subprocess.Popen] = []
_lock = threading.Lock()


class Interrupted(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal: end what was started and go."""


def end_on_signals() -> None:
    """Turns the signals that end a program into an exception in the main thread, so that every `finally` runs."""

    def interrupt(number: int, _frame: object) -> None:
        # A second Ctrl-C must not cut the tidying-up short.
        for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(other, signal.SIG_IGN)
        raise Interrupted(signal.Signals(number).name)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def adopt_orphans() -> None:
    """Makes what a dying child leaves behind our own, so that it can be waited for even where nothing else collects it (containers)."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def serve(command: list[str | Path], *, log: Path, env: dict[str, str], cwd: Path, stdout: int | None = None) -> subprocess.Popen:
    """Starts a child that goes on until it is stopped. Call it in the main thread: Linux ends the child with the thread that made it."""
    return _start(command, log=log, env=env, cwd=cwd, stdout=stdout, before=_end_with_parent)


def _start(command, *, log: Path, env: dict[str, str], cwd: Path, stdout: int | None = None, before=None) -> subprocess.Popen:
    """Starts a child whose output goes to `log` (stdout too, unless it is to be read here)."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with _lock, log.open("ab") as out:
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out if stdout is None else stdout,
            stderr=out,
            start_new_session=True,
            preexec_fn=before,
        )
        _children.append(child)
    return child


def run(command: list[str | Path], *, log: Path, env: dict[str, str], cwd: Path) -> None:
    """Runs a command to its end; a failure shows the end of its log."""
    log.unlink(missing_ok=True)
    child = _start(command, log=log, env=env, cwd=cwd)
    try:
        code = child.wait()
    finally:
        stop(child)
    if code != 0:
        name = Path(str(command[0])).name
        raise Failure(f"{name} {command[1] if len(command) > 1 else ''} ended with {code}. The end of {log}:\n{tail(log)}")


def stop(child: subprocess.Popen) -> None:
    """Ends a child with its whole group, and waits until it is gone."""
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        if not _signal_group(child.pid, number):
            break
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            _collect(child)
            if not _signal_group(child.pid, 0):
                break
            time.sleep(0.02)
    child.poll()
    with _lock:
        if child in _children:
            _children.remove(child)


def stop_all() -> None:
    """Ends what is still running, the latest first: the simulator before the functions that it calls."""
    while True:
        with _lock:
            if not _children:
                return
            child = _children[-1]
        stop(child)


def is_alive(process: int) -> bool:
    """Whether anybody runs under that id."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _collect(child: subprocess.Popen) -> None:
    """Waits for whoever of the group has ended: an uncollected process still counts as one of the group."""
    if child.poll() is None:
        return
    try:
        while os.waitpid(-child.pid, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _signal_group(group: int, number: int) -> bool:
    """Sends a signal to a group; says whether the group still has anybody in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _end_with_parent() -> None:
    """Has Linux end the child when we are killed outright; the functions then end too, as their runtime API is gone."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
