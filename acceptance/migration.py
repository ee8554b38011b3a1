"""The snippets of `docs/migrate-from-plivo.md`, run as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import certifi

import sdk
import service
from callee import Callee
from service import AUTH_ID, AUTH_TOKEN, Service

PAGE = Path(__file__).resolve().parent.parent / "docs" / "migrate-from-plivo.md"
PLACEHOLDER = "http://mixminus.example:8080"
NAME = "moved"

# These stand in for a line in /etc/hosts and for port 443, which a test may not have.
HOSTS_PY = """\
import socket

real = socket.getaddrinfo


def getaddrinfo(host, port, *rest, **more):
    if host == "api.plivo.com":
        host, port = "127.0.0.1", TLS_PORT
    return real(host, port, *rest, **more)


socket.getaddrinfo = getaddrinfo
"""
HOSTS_JS = """\
const net = require("net");
const real = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const to = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (to.host === "api.plivo.com") Object.assign(to, { host: "127.0.0.1", port: TLS_PORT });
  return real.apply(this, args);
};
"""


def run(stage):
    folder, tls_port = stage.folder / "migration", stage.ports.one()
    subprocess.run([stage.program, "cert", "--dir", folder], check=True, stdout=subprocess.DEVNULL)
    http = f"""\
tls_listen = "127.0.0.1:{tls_port}"
tls_certificate = "{folder}/server.pem"
tls_key = "{folder}/server-key.pem"
"""
    served = Service(stage.program, stage.folder / "migration-service", stage.ports, http=http)
    callee = Callee("nobody", stage.ports.one())
    try:
        served.start()
        calls = sdk.client_of(served).multi_party_calls
        calls.add_participant("agent", friendly_name=NAME, from_="14155550100", to_=callee.uri)
        snippets(stage.checks, served, prepared(folder, tls_port))
    finally:
        served.kill()
        callee.stop()


def prepared(folder, tls_port):
    """The environment of the snippets: the name and the bundles of certificates
    are theirs, so that this machine's stay as they are."""
    (folder / "sitecustomize.py").write_text(HOSTS_PY.replace("TLS_PORT", str(tls_port)))
    (folder / "hosts.js").write_text(HOSTS_JS.replace("TLS_PORT", str(tls_port)))
    shutil.copytree(Path(certifi.__file__).parent, folder / "certifi")
    modules = service.target() / "node" / "acceptance" / "node_modules"
    return os.environ | {
        "HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "NODE_PATH": str(modules),
        "PLIVO_AUTH_ID": AUTH_ID,
        "PLIVO_AUTH_TOKEN": AUTH_TOKEN,
    }


def snippets(checks, served, environment):
    folder = Path(environment["PYTHONPATH"])
    named = {
        name: body.replace(PLACEHOLDER, served.url)
        for name, body in re.findall(r"<!-- test: (\S+) -->\n```\w+\n(.*?)```", PAGE.read_text(), re.DOTALL)
    }
    trusting = environment | {"NODE_EXTRA_CA_CERTS": str(folder / "ca.pem")}

    def talks(name, command, env=environment):
        done = said(command, env, folder)
        checks(f"{name} reaches the server", f"{NAME} Initialized" in done, done.strip()[-120:])

    python = lambda name: [sys.executable, "-c", named[name]]  # noqa: E731
    node = lambda name: ["node", "--require", folder / "hosts.js", "-e", named[name]]  # noqa: E731
    stranger = said(python("python-host"), environment, folder)
    checks("a client that does not trust the certificate refuses it", "CERTIFICATE_VERIFY_FAILED" in stranger)
    talks("python-base", python("python-base"))
    talks("python-verify", python("python-verify"))
    said(["sh", "-c", named["python-trust"]], environment, folder)
    talks("python-host after python-trust", python("python-host"))
    talks("node-base", node("node-base"))
    talks("node-host", node("node-host"), trusting)


def said(command, environment, folder):
    """All that `command` prints."""
    done = subprocess.run(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=30,
    )  # fmt: skip
    return done.stdout
