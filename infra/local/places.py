"""Where things stand on this machine. Nothing is written outside .local/, the cargo target directory and the page's own folders."""

import json
import os
import platform
import site
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
LOG = LOCAL / "log"
STAMPS = LOCAL / "stamps"
VENV = LOCAL / "venv"
LINT_VENV = LOCAL / "lint"
CARGO_TOOLS = LOCAL / "cargo"
FUNCTIONS = LOCAL / "functions"
PAGE = ROOT / "simulator" / "page"
PAGE_BUILT = PAGE / "dist"
SAMPLES = ROOT / "events"
CONNECTORS = ROOT / "infra" / "connect"
# All that CloudFormation reads.
TEMPLATES = [ROOT / "template.yaml", ROOT / "infra" / "key.yaml", ROOT / "infra" / "github-oidc.yaml", *sorted(CONNECTORS.glob("*.yaml"))]
MANIFEST = ROOT / "infra" / "app-manifest.yaml"
DOCS = ROOT / "docs"
BOOK = LOCAL / "book"
FUZZ_TARGETS = ROOT / "fuzz" / "fuzz_targets"
FUZZING = LOCAL / "fuzz"
RUN = ROOT / "infra" / "local" / "run.py"

# As Lambda calls them; the functions run on this machine, so they are built for it.
ARCHITECTURE = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower(), "")


def use_tools() -> None:
    """Lets this process import what the virtual environment holds: the same interpreter made it."""
    site.addsitedir(str(VENV / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"))


def target_directory() -> Path:
    """Cargo's target directory, which CARGO_TARGET_DIR or a configuration file may have moved."""
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return Path(json.loads(metadata)["target_directory"])


def environment(**more: str) -> dict[str, str]:
    """The environment of every child: ours, without anything that could reach a real AWS account."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SAM_")) or key == "AWS_CA_BUNDLE"}
    return kept | {
        "PATH": f"{VENV / 'bin'}{os.pathsep}{CARGO_TOOLS / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(LOCAL / "sam"),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    } | more
