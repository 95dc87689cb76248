"""One ministack on 127.0.0.1 and the real template.yaml deployed to it."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import processes
from console import Failure, tail
from places import ARCHITECTURE, FUNCTIONS, LOCAL, ROOT, VENV, environment, use_tools

REGION = "us-east-1"
ACCOUNT = "000000000000"
START_SECONDS = 60
BUCKET = "tocsin-local-artifacts"
STATES = LOCAL / "ministack"

# What differs from a deployment to AWS, and why.
LOCAL_PARAMETERS = {
    "Architecture": ARCHITECTURE,
    # ministack reads a mapping's MaximumConcurrency as CloudFormation passes it, a string, and then polls no queue at all.
    "IntakeMaximumConcurrency": "0",
    "WorkerMaximumConcurrency": "0",
    "PosterMaximumConcurrency": "0",
    "TableDeletionProtection": "false",
    # Nothing else than an API on this machine can be called.
    "CallHosts": "127.0.0.1",
}


@dataclass
class Ministack:
    """A running emulator."""

    process: subprocess.Popen
    endpoint: str
    log: Path


def require_free(port: int, who: str, how: str) -> None:
    """Fails with one line when a port is taken."""
    with socket.socket() as probe:
        # A connection that has just been closed does not occupy the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Failure(f"Port {port}, which {who} needs, is in use. End what listens there, or choose another: {how}") from None


def any_free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_ministack(port: int, log: Path) -> Ministack:
    """Starts ministack, with nothing left from an earlier one, and waits until it answers."""
    sweep()
    state = STATES / f"{os.getpid()}-{port}"
    temporary = state / "tmp"
    temporary.mkdir(parents=True)
    endpoint = f"http://127.0.0.1:{port}"
    # The functions inherit this environment, so nothing of the developer's own shell is in it. AWS_ENDPOINT_URL is how they find
    # ministack. Without BIND_HOST it would listen on every interface, and without IOT_MTLS_ENABLED=0 open a second port.
    env = {key: value for key, value in os.environ.items() if key in ("LANG", "LC_ALL", "USER")} | {
        "PATH": os.defpath,
        "HOME": str(state),
        "TMPDIR": str(temporary),
        "STATE_DIR": str(state),
        "S3_DATA_DIR": str(state / "s3"),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_ENDPOINT_URL": endpoint,
        "RUST_BACKTRACE": "1",
    }
    log.unlink(missing_ok=True)
    process = processes.serve([VENV / "bin" / "ministack"], log=log, env=env, cwd=ROOT)
    deadline = time.monotonic() + START_SECONDS
    while not _answers(f"{endpoint}/_ministack/health"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failure(f"ministack did not start on port {port}. The end of {log}:\n{tail(log)}")
        time.sleep(0.05)
    return Ministack(process, endpoint, log)


def sweep() -> None:
    """Removes the files (some 70 MB of unpacked functions) of this process's ministack and of every one whose owner has ended."""
    for state in STATES.glob("*-*"):
        owner = int(state.name.split("-")[0])
        if owner == os.getpid() or not processes.is_alive(owner):
            shutil.rmtree(state, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def deploy(endpoint: str, stack_name: str, parameters: dict[str, str], secret: dict[str, str], log: Path) -> dict[str, str]:
    """`sam deploy` of what `sam build` made, and Slack's secret put into it. Returns the outputs; function URLs as they can be called here."""
    clients = _Clients(endpoint)
    clients.s3.create_bucket(Bucket=BUCKET)
    overrides = [f"{key}={value}" for key, value in (LOCAL_PARAMETERS | parameters).items()]
    command = ["sam", "deploy", "--template-file", FUNCTIONS / "template.yaml", "--stack-name", stack_name]
    command += ["--s3-bucket", BUCKET, "--s3-prefix", stack_name, "--region", REGION, "--capabilities", "CAPABILITY_IAM"]
    command += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar", "--parameter-overrides", *overrides]
    processes.run(command, log=log, env=environment(AWS_ENDPOINT_URL=endpoint, SAM_CLI_POLL_DELAY="0.2"), cwd=ROOT)
    stack = clients.cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    clients.secretsmanager.put_secret_value(SecretId=outputs["SlackSecretArn"], SecretString=json.dumps(secret))
    return {key: _reachable(endpoint, value) for key, value in outputs.items()}


def _reachable(endpoint: str, value: str) -> str:
    """ministack gives function URLs and HTTP APIs host names as AWS does, which nobody resolves here, and answers them under paths of its own."""
    url = urlsplit(value)
    host = url.hostname or ""
    for kind in ("lambda-url", "execute-api"):
        if f".{kind}." in host:
            return f"{endpoint}/_aws/{kind}/{host.split('.')[0]}{url.path}"
    return value


class _Clients:
    """Clients of the emulator. boto3 comes with the SAM CLI, so it is imported only once the virtual environment exists."""

    def __init__(self, endpoint: str):
        use_tools()
        import boto3

        session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        self.s3 = session.client("s3", endpoint_url=endpoint)
        self.cloudformation = session.client("cloudformation", endpoint_url=endpoint)
        self.secretsmanager = session.client("secretsmanager", endpoint_url=endpoint)
