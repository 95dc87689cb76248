#!/usr/bin/env python3
"""Tocsin on one machine: no account, no Docker, no Slack workspace. `make` calls this; CONTRIBUTING.md says how it fits together.

    run.py local            everything, until Ctrl-C
    run.py test [args…]     cargo test with all that the tests need
    run.py fuzz [targets…]  looks for inputs that break a promise
    run.py bench [part…]    what it costs and how fast it is
    run.py lint             format, clippy, cargo deny, template checks
    run.py docs             the book, into .local/book
    run.py up               ministack with one deployed stack, until stdin closes; its outputs as one line of JSON
    run.py deploy           one more stack on a running ministack; its outputs as one line of JSON
    run.py env              what the tests need, as lines for a shell to evaluate
"""

import argparse
import json
import os
import queue
import re
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path

# Nothing is written into the checkout, compiled Python neither.
sys.dont_write_bytecode = True

import book
import prepare
import processes
import stack
from console import Failure, say, step, tail
from places import FUNCTIONS, FUZZING, FUZZ_TARGETS, LINT_VENV, LOG, MANIFEST, PAGE_BUILT, ROOT, RUN, SAMPLES, TEMPLATES, VENV, environment

SIMULATOR_START_SECONDS = 30
# Neither opens anything: Slack here is the simulator, and both sides are told the same.
LOCAL_SECRET = {"bot_token": "xoxb-local", "signing_secret": "local-signing-secret"}
# Where both are set, `make local` is for the workspace that they belong to.
SLACK_VARIABLES = {"bot_token": "SLACK_BOT_TOKEN", "signing_secret": "SLACK_SIGNING_SECRET"}


def main() -> int:
    """Runs one command; 0 is success, 1 a failure that has been explained, 130 an interruption."""
    arguments = _parse()
    processes.end_on_signals()
    processes.adopt_orphans()
    try:
        prepare.check_machine(node=arguments.command in (local, test, env))
        return arguments.command(arguments) or 0
    except Failure as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except processes.Interrupted:
        return 130
    finally:
        processes.stop_all()
        stack.sweep()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    one = commands.add_parser("local")
    one.set_defaults(command=local)
    one.add_argument("--ministack-port", type=int, default=4566)
    one.add_argument("--simulator-port", type=int, default=3000)

    one = commands.add_parser("test")
    one.set_defaults(command=test)
    one.add_argument("arguments", nargs=argparse.REMAINDER, help="passed to cargo test")

    one = commands.add_parser("fuzz")
    one.set_defaults(command=fuzz)
    one.add_argument("targets", nargs="*", metavar="TARGET", help="all, where none is named")
    one.add_argument("--seconds", type=int, default=60, help="for each target")

    # Whatever is said goes to bench, --help too.
    commands.add_parser("bench", add_help=False).set_defaults(command=bench)

    commands.add_parser("lint").set_defaults(command=lint)
    commands.add_parser("docs").set_defaults(command=docs)
    commands.add_parser("env").set_defaults(command=env)

    one = commands.add_parser("up")
    one.set_defaults(command=up)
    one.add_argument("--ministack-port", type=int, default=0, help="0 is any free port")
    one.add_argument("--no-deploy", action="store_true", help="ministack alone")
    one.add_argument("--log-dir", type=Path, help="where ministack and the deployment write what they say")
    _add_stack_arguments(one)

    one = commands.add_parser("deploy")
    one.set_defaults(command=deploy)
    one.add_argument("--endpoint-url", required=True)
    _add_stack_arguments(one)
    arguments, rest = parser.parse_known_args()
    if arguments.command is bench:
        arguments.arguments = rest
    elif rest:
        parser.error(f"what is {' '.join(rest)}?")
    return arguments


def _add_stack_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack-name", default="tocsin")
    parser.add_argument("--param", action="append", default=[], metavar="KEY=VALUE", type=_parameter, help="a parameter of template.yaml")
    parser.add_argument("--bot-token", default=LOCAL_SECRET["bot_token"])
    parser.add_argument("--signing-secret", default=LOCAL_SECRET["signing_secret"])
    parser.add_argument("--json", action="store_true", help="said for clarity: the answer is always JSON")


def _parameter(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"{text} is not KEY=VALUE")
    return key, value


# ---- Commands ---------------------------------------------------------------------------------------------------------------


def local(arguments: argparse.Namespace) -> None:
    """The whole system, until Ctrl-C: with the simulator as Slack, or with a real workspace."""
    real = _real_slack()
    ministack_port, simulator_port = arguments.ministack_port, arguments.simulator_port
    if ministack_port == simulator_port:
        raise Failure(f"Both ports are {ministack_port}: the local AWS and the simulator need one each.")
    stack.require_free(ministack_port, "ministack", f"make local MINISTACK_PORT={ministack_port + 1} SIMULATOR_PORT={simulator_port}")
    if not real:
        stack.require_free(simulator_port, "the simulator", f"make local MINISTACK_PORT={ministack_port} SIMULATOR_PORT={simulator_port + 1}")
    prepare.everything(tests=False)
    with step("ministack", LOG / "ministack.log"):
        ministack = stack.start_ministack(arguments.ministack_port, LOG / "ministack.log")
    slack = f"http://127.0.0.1:{arguments.simulator_port}"
    # Without these parameters it is slack.com.
    parameters = {} if real else {"SlackApiUrl": f"{slack}/api/", "SlackHooksUrl": f"{slack}/"}
    with step("the stack (sam deploy of template.yaml)", LOG / "deploy.log"):
        outputs = stack.deploy(ministack.endpoint, "tocsin", parameters, real or LOCAL_SECRET, LOG / "deploy.log")
    running = {"ministack": (ministack.process, ministack.log)}
    aws = f"AWS_ENDPOINT_URL={ministack.endpoint} AWS_REGION={stack.REGION} AWS_DEFAULT_REGION={stack.REGION} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"
    if real:
        # The app-level token is asked for, or stands in SLACK_APP_TOKEN.
        print("\n    Slack:             the workspace of SLACK_BOT_TOKEN, once `tocsin dev` runs in another terminal")
    else:
        with step("the simulator", LOG / "simulator.log"):
            simulator, address = _start_simulator(arguments.simulator_port, ministack.endpoint, outputs)
        running["the simulator"] = (simulator, LOG / "simulator.log")
        print(f"\n    Slack, simulated:  {address}")
    print(f"    AWS, emulated:     {ministack.endpoint}")
    print(f"    Incidents queue:   {outputs['IncidentsQueueUrl']}\n    Logs:              {LOG}")
    command = "tocsin dev" if real else "tocsin doctor"
    print(f"\n    For the command line, in another terminal:\n\n    export {aws}\n    cargo run --locked --package tocsin -- {command.removeprefix('tocsin ')}\n\n    Ctrl-C ends everything.", flush=True)
    _until_interrupted(running)


def _real_slack() -> dict[str, str] | None:
    """What the app of a real workspace is known by, where the environment says it; None for the simulator. What is built here does not get to see it."""
    found = {field: os.environ.pop(name, "").strip() for field, name in SLACK_VARIABLES.items()}
    if not any(found.values()):
        return None
    both = " and ".join(SLACK_VARIABLES.values())
    if missing := [SLACK_VARIABLES[field] for field, value in found.items() if not value]:
        raise Failure(f"{missing[0]} is not set. Set {both} for a real workspace, or neither for the simulator.")
    if not found["bot_token"].startswith("xoxb-"):
        raise Failure("What SLACK_BOT_TOKEN holds is no bot token: xoxb-…, under OAuth & Permissions at https://api.slack.com/apps.")
    return found


def _start_simulator(port: int, endpoint: str, outputs: dict[str, str]) -> tuple[subprocess.Popen, str]:
    """Starts the simulator and returns it with the address it says that it listens on."""
    log = LOG / "simulator.log"
    log.unlink(missing_ok=True)
    env = environment(
        AWS_ENDPOINT_URL=endpoint,
        # In the environment, where `ps` does not show them.
        SLACK_SIGNING_SECRET=LOCAL_SECRET["signing_secret"],
        SLACK_BOT_TOKEN=LOCAL_SECRET["bot_token"],
    )
    command = [prepare.simulator_binary(), "--port", str(port), "--samples", SAMPLES, "--page", PAGE_BUILT, "--manifest", MANIFEST]
    command += ["--commands-url", outputs["CommandsUrl"], "--interactions-url", outputs["InteractionsUrl"], "--events-url", outputs["EventsUrl"]]
    command += ["--incidents-queue-url", outputs["IncidentsQueueUrl"]]
    process = processes.serve(command, log=log, env=env, cwd=ROOT, stdout=subprocess.PIPE)
    said: queue.Queue[str] = queue.Queue()

    def listen() -> None:
        # Read to the end, so that the pipe never fills; what is said later belongs to the log.
        for line in process.stdout:
            with log.open("ab") as out:
                out.write(line)
            said.put(line.decode(errors="replace").strip())
        said.put("")

    threading.Thread(target=listen, daemon=True).start()
    try:
        while line := said.get(timeout=SIMULATOR_START_SECONDS):
            if line.startswith("simulator: http"):
                return process, line.removeprefix("simulator: ")
    except queue.Empty:
        pass
    raise Failure(f"The simulator did not start. The end of {log}:\n{tail(log)}")


def _until_interrupted(running: dict[str, tuple[subprocess.Popen, Path]]) -> None:
    """Waits; if a part ends by itself, the rest is of no use."""
    ended: queue.Queue[str] = queue.Queue()
    for name, (process, _) in running.items():
        threading.Thread(target=lambda n=name, p=process: (p.wait(), ended.put(n)), daemon=True).start()
    try:
        name = ended.get()
    except processes.Interrupted:
        say("ending everything")
        return
    log = running[name][1]
    raise Failure(f"{name} ended by itself. The end of {log}:\n{tail(log)}")


def test(arguments: argparse.Namespace) -> int:
    """Every test of the workspace, with all that they need."""
    chrome = prepare.chrome()
    prepare.everything(tests=True)
    say("cargo test")
    command = ["cargo", "test", "--locked", "--workspace", *arguments.arguments]
    # In the foreground and in our own group, so that Ctrl-C reaches the tests, which end what they started.
    code = subprocess.run(command, cwd=ROOT, env=environment(**_test_environment(chrome)), check=False).returncode
    say(f"cargo test ended with {code}")
    return code


def _test_environment(chrome: str) -> dict[str, str]:
    return {
        "TOCSIN_PYTHON": str(VENV / "bin" / "python"),
        "TOCSIN_RUN": str(RUN),
        "TOCSIN_MINISTACK": str(VENV / "bin" / "ministack"),
        "TOCSIN_SCHEMATHESIS": str(VENV / "bin" / "schemathesis"),
        "TOCSIN_FUNCTIONS": str(FUNCTIONS),
        "TOCSIN_PAGE": str(PAGE_BUILT),
        "CHROME": chrome,
        # The tests wait for queues far more than they compute, so more of them run at once than there are cores.
        "RUST_TEST_THREADS": os.environ.get("RUST_TEST_THREADS", "6"),
    }


def env(_: argparse.Namespace) -> None:
    """Prints the tests' environment, for running single tests by hand: eval "$(make -s test-env)"."""
    chrome = prepare.chrome()
    prepare.everything(tests=False)
    for key, value in _test_environment(chrome).items():
        print(f"export {key}={shlex.quote(value)}")


def lint(_: argparse.Namespace) -> None:
    """Everything that can be said about the code without running it, the quickest first; all of it, whatever fails."""
    checks = {
        "format": ["cargo", "fmt", "--all", "--check", "--", "--color", "never"],
        "cfn-lint": ["cfn-lint", *TEMPLATES],
        "sam validate": ["sam", "validate", "--lint", "--template-file", "template.yaml"],
        # Nothing is fetched and nobody is told. What it finds and may stay is excused beside the resource, with a reason.
        "checkov": [LINT_VENV / "bin" / "checkov", "--skip-download", "--framework", "cloudformation", "--quiet", "--compact", "--file", *TEMPLATES],
        "cargo deny": ["cargo-deny", "--log-level", "warn", "--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"],
        "clippy": ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"],
    }
    made = {"cfn-lint": prepare.tools, "checkov": prepare.checkov, "cargo deny": prepare.cargo_deny}
    failures = []
    for name, command in checks.items():
        log = LOG / f"lint-{name.replace(' ', '-')}.log"
        try:
            made.get(name, lambda: None)()
            with step(name, log):
                processes.run(command, log=log, env=environment(), cwd=ROOT)
            if counted := re.search(r"Passed checks: \d+, Failed checks: \d+, Skipped checks: \d+", log.read_text(errors="replace")):
                say(counted[0].lower().replace("skipped", "excused"))
        except Failure as failure:
            failures.append(str(failure))
    if failures:
        raise Failure("\n\n".join(failures))


def docs(_: argparse.Namespace) -> None:
    """The book. What mdBook warns of fails it, and so does a link that leads nowhere."""
    prepare.mdbook()
    with step("the book (mdbook build)", LOG / "book.log"):
        index = book.build(LOG / "book.log")
    print(index)


def bench(arguments: argparse.Namespace) -> int:
    """Measures; see bench/README.md."""
    part = next((argument for argument in arguments.arguments if not argument.startswith("-")), None)
    if part in (None, "counts", "growth"):
        prepare.valgrind()
    if part in (None, "stack"):
        prepare.tools()
    # By the clock, who measures must not be slower than what is measured. A count does not depend on it, and this one has been built for the tests already.
    by_clock = part not in ("counts", "growth")
    program = prepare.bench(optimised=by_clock)
    return subprocess.run([program, *arguments.arguments], cwd=ROOT, env=environment(), check=False).returncode


def fuzz(arguments: argparse.Namespace) -> int:
    """Looks for inputs that break a promise, one target after the other, and prints what came of it. What was found to be of use is kept for the next time."""
    known = sorted(path.stem for path in FUZZ_TARGETS.glob("*.rs"))
    targets = arguments.targets or known
    if unknown := set(targets) - set(known):
        raise Failure(f"There is no target {', '.join(sorted(unknown))}; there are {', '.join(known)}.")
    programs = prepare.fuzzers(targets)
    for target in targets:
        prepare.seeds(target, FUZZING / "seeds" / target)
    rows = [_fuzz(target, programs[target], arguments.seconds) for target in targets]
    print(f"\n{'target':<14}{'runs':>12}{'seconds':>9}{'blocks':>9}{'features':>10}{'inputs':>8}{'crashes':>9}")
    for target, (runs, seconds, blocks, features, inputs, crashes) in zip(targets, rows):
        print(f"{target:<14}{runs:>12,}{seconds:>9,}{blocks:>9,}{features:>10,}{inputs:>8,}{len(crashes):>9}")
    crashes = [(target, path) for target, row in zip(targets, rows) for path in row[-1]]
    for target, path in crashes:
        print(f"\n{target} breaks with {path}; what it says stands in {LOG / f'fuzz-{target}.log'}. Again: {programs[target]} {path}")
    return 1 if crashes else 0


def _fuzz(target: str, program: Path, seconds: int) -> tuple[int, int, int, int, int, list[Path]]:
    """Searches for so many seconds, or until something breaks: runs, seconds, blocks and features reached, inputs kept, and what broke it."""
    corpus, found = FUZZING / "corpus" / target, FUZZING / "found" / target
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    log = LOG / f"fuzz-{target}.log"
    command = [program, corpus, FUZZING / "seeds" / target, f"-artifact_prefix={found}/", f"-max_total_time={seconds}"]
    # Beyond twenty kilobytes an input says nothing new, and none takes seconds.
    command += ["-max_len=20000", "-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1"]
    broken, began = None, time.monotonic()
    with step(f"{target}: {seconds} s", log, showing=r"^#.*"):
        try:
            processes.run(command, log=log, env=environment(RUST_BACKTRACE="1"), cwd=ROOT)
        except Failure as failure:
            broken = failure
    took = time.monotonic() - began
    said = log.read_text(errors="replace")
    crashes = sorted(set(found.iterdir()) - before)
    progress = re.findall(r"^#(\d+)\s.*?cov: (\d+) ft: (\d+) corp: (\d+)/", said, re.MULTILINE)
    if broken and not crashes or not progress:
        raise broken or Failure(f"{target} did not run. The end of {log}:\n{tail(log)}")
    runs, blocks, features, inputs = map(int, progress[-1])
    counted = re.search(r"^stat::number_of_executed_units:\s*(\d+)", said, re.MULTILINE)
    return int(counted[1]) if counted else runs, round(took), blocks, features, inputs, crashes


def up(arguments: argparse.Namespace) -> None:
    """ministack with one stack, for a test: says where things are, and ends when the test does."""
    prepare.tools()
    if not arguments.no_deploy:
        prepare.functions()
    port = arguments.ministack_port or stack.any_free_port()
    stack.require_free(port, "ministack", "--ministack-port 0")
    log = (arguments.log_dir or LOG / "up" / str(port)).resolve()
    ministack = stack.start_ministack(port, log / "ministack.log")
    outputs = {} if arguments.no_deploy else _deploy(arguments, ministack.endpoint, log / "deploy.log")
    _answer(ministack.endpoint, outputs, ministack_pid=ministack.process.pid, log=str(ministack.log))
    try:
        while sys.stdin.buffer.read(4096):
            pass
    except processes.Interrupted:
        # Being told to end is how this command succeeds.
        return


def deploy(arguments: argparse.Namespace) -> None:
    """One more stack, or another version of one, on a ministack that runs already."""
    prepare.tools()
    prepare.functions()
    log = LOG / f"deploy-{arguments.stack_name}.log"
    _answer(arguments.endpoint_url, _deploy(arguments, arguments.endpoint_url.rstrip("/"), log))


def _deploy(arguments: argparse.Namespace, endpoint: str, log: Path) -> dict[str, str]:
    secret = {"bot_token": arguments.bot_token, "signing_secret": arguments.signing_secret}
    return stack.deploy(endpoint, arguments.stack_name, dict(arguments.param), secret, log)


def _answer(endpoint: str, outputs: dict[str, str], **more: object) -> None:
    print(json.dumps({"endpoint_url": endpoint, "region": stack.REGION, "account": stack.ACCOUNT, "outputs": outputs} | more), flush=True)


if __name__ == "__main__":
    sys.exit(main())
