"""The service under test, and the ports that a run uses."""

import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

AUTH_ID = "MAACCEPTANCERUN00001"
AUTH_TOKEN = "acceptance-run-token-of-forty-characters"
SETTINGS = ("media", "limits", "http", "callbacks", "recordings", "speech", "sip")


class Ports:
    """Ports on loopback that nobody listens on, each given out once."""

    def __init__(self):
        self.next = random.randrange(20000, 28000, 2)

    def block(self, size):
        """The first of `size` free ports in a row, an even one."""
        while True:
            first = self.next + self.next % 2
            self.next = first + size
            if all(is_free(port) for port in range(first, first + size)):
                return first

    def one(self):
        return self.block(1)

    def pair(self):
        return self.block(2)


def is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def target():
    """Where this checkout's builds are."""
    root = Path(__file__).resolve().parent.parent
    return Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))


def binary():
    """The release build of this checkout."""
    return target() / "release" / "mixminus"


class Service:
    def __init__(self, program, folder, ports, answer_url=None, listeners=(), media_ports=400, **settings):
        """`listeners` are for SIP, besides those for UDP and TCP; `settings` are further lines of the
        sections that they are named after."""
        self.program = program
        self.folder = folder
        self.folder.mkdir()
        self.sip_port, self.http_port = ports.one(), ports.one()
        self.media_ports = range(first := ports.block(media_ports), first + media_ports)
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.config = self.folder / "mixminus.toml"
        answer = f'answer_url = "{answer_url}"' if answer_url else ""
        media, limits, http, callbacks, recordings, speech, sip = (
            settings.get(name, "") for name in SETTINGS
        )
        listen = [f"udp:127.0.0.1:{self.sip_port}", f"tcp:127.0.0.1:{self.sip_port}", *listeners]
        self.config.write_text(f"""\
data_dir = "{self.folder / "data"}"
[http]
listen = "127.0.0.1:{self.http_port}"
public_url = "{self.url}"
{http}
[sip]
listen = {json.dumps(listen)}
{sip}
[media]
ports = "{self.media_ports[0]}-{self.media_ports[-1]}"
workers = 2
{media}
[account]
auth_id = "{AUTH_ID}"
auth_token = "{AUTH_TOKEN}"
[application]
{answer}
[urls]
allow_private = true
[limits]
{limits}
[callbacks]
{callbacks}
[recordings]
{recordings}
[speech]
{speech}
""")
        self.process = None

    def sip(self, user):
        return f"sip:{user}@127.0.0.1:{self.sip_port}"

    def start(self):
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [self.program, "serve", "--config", self.config],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
        )
        deadline = time.monotonic() + 15
        while self.get("/readyz")[0] != 200:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"mixminus did not become ready, see {self.folder}/log")
            time.sleep(0.05)
        return self

    def get(self, path):
        """Status and text; status 0 when nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=2) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            return 0, ""

    def metric(self, name, label=""):
        """The sum of a metric over all labels, or over those that `label` is in; None if there are none."""
        lines = [line.split() for line in self.get("/metrics")[1].splitlines()]
        of_name = [line for line in lines if line and line[0].split("{")[0] == name]
        values = [float(line[-1]) for line in of_name if label in line[0]]
        return sum(values) if values else None

    def drain(self, seconds=15):
        """Asks it to finish; its exit status, or None if it did not."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        """As when the machine loses power."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
