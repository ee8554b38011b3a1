"""What a person sees who starts it with nothing but defaults, or wrongly."""

import os
import signal
import stat
import subprocess
import time
import urllib.request

EX_USAGE = 64


def run(stage):
    folder = stage.folder / "starting"
    folder.mkdir()
    sip, http = stage.ports.one(), stage.ports.one()
    environment = os.environ | {
        "MIXMINUS__SIP__LISTEN": f"udp:127.0.0.1:{sip},tcp:127.0.0.1:{sip}",
        "MIXMINUS__HTTP__LISTEN": f"127.0.0.1:{http}",
        "MIXMINUS__MEDIA__PORTS": f"{stage.ports.block(20)}-{stage.ports.next - 1}",
    }
    first_start(stage, folder, environment, http)
    wrong_start(stage, folder, environment)


def first_start(stage, folder, environment, http):
    said = started(stage, folder, environment, http)
    account = (folder / "mixminus-data" / "account.toml").read_text()
    auth_id, token = (account.split(f"{key} = ")[1].split('"')[1] for key in ("auth_id", "auth_token"))
    stage.checks("an account is generated", len(auth_id) == 20 and len(token) == 40, auth_id)
    stage.checks("its token is shown once", auth_id in said and token in said)
    for what in (f":{http}", "sip:<name>@127.0.0.1"):
        stage.checks(f"it says {what}", what in said)
    mode = stat.S_IMODE((folder / "mixminus-data" / "account.toml").stat().st_mode)
    stage.checks("only the owner reads the account", mode == 0o600, oct(mode))
    again = started(stage, folder, environment, http)
    stage.checks("a second start keeps the account", auth_id in again and token not in again)


def started(stage, folder, environment, http):
    """Starts it without arguments, waits until it is ready, presses Ctrl-C; what it said."""
    process = subprocess.Popen(
        [stage.program],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    ready = lambda: answers(f"http://127.0.0.1:{http}/readyz")  # noqa: E731
    stage.checks.eventually("it becomes ready", ready, 15)
    process.send_signal(signal.SIGINT)
    try:
        said, _ = process.communicate(timeout=15)
        stage.checks("Ctrl-C ends it in order", process.returncode == 0, process.returncode)
        return said
    except subprocess.TimeoutExpired:
        process.kill()
        stage.checks("Ctrl-C ends it in order", False, "still running")
        return process.communicate()[0]


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=1) as reply:
            return reply.status == 200
    except OSError:
        return False


def wrong_start(stage, folder, environment):
    for key, value in (
        ("http.listen", "nowhere"),
        ("media.ports", "9-1"),
        ("limits.max_participants", "1"),
        ("nosuch.key", "1"),
    ):
        variable = "MIXMINUS__" + key.replace(".", "__").upper()
        begun = time.monotonic()
        done = subprocess.run(
            [stage.program, "serve"], cwd=folder, env=environment | {variable: value},
            capture_output=True, text=True, timeout=15,
        )  # fmt: skip
        text = done.stderr + done.stdout
        named = variable in text or key in text
        quick = time.monotonic() - begun < 5
        stage.checks(
            f"a wrong {key} exits {EX_USAGE}", done.returncode == EX_USAGE and quick, done.returncode
        )
        stage.checks(
            f"a wrong {key} is named with its value",
            named and (value in text or key == "nosuch.key"),
            text.strip()[:120],
        )
