"""A SIP address that rings and never answers, or refuses."""

import re
import socket
import threading

RINGS, BUSY = "180 Ringing", "486 Busy Here"


class Callee:
    def __init__(self, name, port, answer=RINGS):
        self.answer = answer
        self.requests = []
        self.changed = threading.Condition()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.uri = f"sip:{name}@127.0.0.1:{port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        invite = None
        while True:
            try:
                data, far = self.socket.recvfrom(65535)
            except OSError:
                return
            text = data.decode()
            method = text.split(" ", 1)[0]
            if method == "INVITE":
                invite = text
                self._send(self.answer, text, far)
            elif method == "CANCEL":
                self._send("200 OK", text, far)
                self._send("487 Request Terminated", invite, far)
            with self.changed:
                self.requests.append(text)
                self.changed.notify_all()

    def _send(self, status, request, far):
        copied = [line for line in request.split("\r\n") if re.match("(?i)(via|from|call-id|cseq):", line)]
        to = header(request, "To")
        lines = [f"SIP/2.0 {status}", *copied, f"To: {to};tag=callee", "Content-Length: 0", "", ""]
        self.socket.sendto("\r\n".join(lines).encode(), far)

    def request(self, method, seconds=5, user=""):
        """The first request with that method, to `user` if one is given, or None."""
        with self.changed:
            found = lambda: next((r for r in self.requests if r.startswith(f"{method} sip:{user}")), None)  # noqa: E731
            return self.changed.wait_for(found, seconds) and found()

    def stop(self):
        self.socket.close()


def header(request, name):
    """The value of a header of `request`; empty without it."""
    found = re.search(rf"(?im)^{name}: *(.*?)\r$", request)
    return found[1] if found else ""
