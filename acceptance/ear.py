"""A callback receiver that misbehaves: `ear.py PORT LOG SEED`."""

import contextlib
import json
import os
import random
import sys
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What becomes of a request: an error, a redirect, no answer, no answer although it
# was taken, a late answer; and half of the time an acknowledgement.
FATES = ["error", "redirect", "lost", "unsaid", "late", *["taken"] * 5]
# How often one callback fails for that before it is taken, so that the pauses
# between tries, which double, stay short.
MOST_FAILURES = 2
LATE_S = 1.0


class Receiver(BaseHTTPRequestHandler):
    """Writes what it takes to the log before it says so."""

    protocol_version = "HTTP/1.1"
    log = fates = None
    failures = defaultdict(int)

    def log_message(self, *_):
        pass

    def do_GET(self):  # noqa: N802 - named by the library
        self.receive()

    def do_POST(self):  # noqa: N802 - named by the library
        self.receive()

    def receive(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        callback = self.headers["Callback-Id"]
        fate = self.fates.choice(FATES) if self.failures[callback] < MOST_FAILURES else "taken"
        self.failures[callback] += fate not in ("taken", "late")
        if fate == "error":
            return self.answer(500)
        if fate == "redirect":
            return self.answer(302, Location="/taken")
        if fate == "lost":
            return self.hang_up()
        if fate == "late":
            time.sleep(LATE_S)
        headers = {name.title(): value for name, value in self.headers.items()}
        line = json.dumps({"method": self.command, "path": self.path, "body": body, "headers": headers})
        os.write(self.log, line.encode() + b"\n")
        return self.hang_up() if fate == "unsaid" else self.answer(200)

    def hang_up(self):
        self.close_connection = True

    def answer(self, status, **headers):
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()


def serve(port, log, seed):
    Receiver.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    Receiver.fates = random.Random(seed)
    ThreadingHTTPServer(("127.0.0.1", int(port)), Receiver).serve_forever()


if __name__ == "__main__":
    serve(*sys.argv[1:])
