"""A SIP client of a few lines over UDP, for what no phone can be made to send."""

import hashlib
import re
import socket
import uuid

REALM = "phone.plivo.com"


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Client:
    def __init__(self, port, username, password):
        self.username, self.password = username, password
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(3)
        self.server = ("127.0.0.1", port)
        self.address = ":".join(map(str, self.socket.getsockname()))
        self.count = 0

    def send(self, text):
        self.socket.sendto(text.encode(), self.server)

    def final(self):
        """The next final response, and the provisional ones before it."""
        responses = [self.socket.recv(8192).decode()]
        while responses[-1].startswith("SIP/2.0 1"):
            responses.append(self.socket.recv(8192).decode())
        return responses

    def request(self, method, user, body="", headers=""):
        self.count += 1
        target = f"sip:{user}@{REALM}" if user else f"sip:{REALM}"
        to = f"sip:{user or self.username}@{REALM}"
        return (
            f"{method} {target} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.address};rport;branch=z9hG4bK{uuid.uuid4().hex}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{self.username}@{REALM}>;tag={self.count}\r\nTo: <{to}>\r\n"
            f"Call-ID: {uuid.uuid4().hex}\r\nCSeq: {self.count} {method}\r\n"
            f"Contact: <sip:{self.username}@{self.address}>\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def authorized(self, request, challenge, count=1):
        """`request` with the answer to a challenge."""
        nonce = re.search(r'nonce="([^"]+)"', challenge)[1]
        method, uri = request.split(" ", 2)[:2]
        secret = md5(f"{self.username}:{REALM}:{self.password}")
        answer = md5(f"{secret}:{nonce}:{count:08x}:c:auth:{md5(f'{method}:{uri}')}")
        line = (
            f'Authorization: Digest username="{self.username}", realm="{REALM}", nonce="{nonce}", '
            f'uri="{uri}", response="{answer}", algorithm=MD5, qop=auth, nc={count:08x}, cnonce="c"\r\n'
        )
        branched = re.sub(r"branch=\w+", f"branch=z9hG4bK{uuid.uuid4().hex}", request)
        return branched.replace("Max-Forwards", f"{line}Max-Forwards", 1)

    def ask(self, *request, **more):
        """Sends a request and answers its challenge; the responses to that, and the request."""
        plain = self.request(*request, **more)
        self.send(plain)
        challenge = self.final()[-1]
        answered = self.authorized(plain, challenge)
        self.send(answered)
        return self.final(), answered


def status(response):
    return int(response[8:11])
