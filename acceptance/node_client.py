"""The published `plivo` package for Node, in a process of its own."""

import json
import os
import subprocess
from pathlib import Path

import service
from service import AUTH_ID, AUTH_TOKEN

SCRIPT = Path(__file__).with_name("node") / "client.js"


class Refused(Exception):
    """The package threw an error."""


class Node:
    """`proxy` is where the package reaches the vendor's host, `authority` the
    file of the certificate that it trusts."""

    def __init__(self, folder, proxy="", authority=""):
        modules = service.target() / "node" / "acceptance" / "node_modules"
        environment = {**os.environ, "NODE_PATH": str(modules), "NODE_EXTRA_CA_CERTS": str(authority)}
        self.process = subprocess.Popen(
            ["node", "--no-deprecation", SCRIPT, AUTH_ID, AUTH_TOKEN, proxy],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "node.log").open("wb"),
            text=True,
        )

    def ask(self, *order):
        """What the package makes of an order of `client.js`, as it is in JSON."""
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def value(self, *order):
        answer = self.ask(*order)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer.get("value")

    def call(self, method, *arguments):
        """What a method such as `multiPartyCalls.get` gives."""
        return self.value("call", method, arguments)

    def document(self, *steps):
        """What the builder prints after `steps`: an element, its text or None,
        attributes, and steps inside."""
        return self.value("build", steps)

    def valid(self, validator, *arguments):
        return self.value("valid", validator, arguments)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(5)
