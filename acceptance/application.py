"""The customer's side: answers calls with XML and receives callbacks."""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import plivo.utils

from service import AUTH_TOKEN


@dataclass
class Request:
    """One request of the service."""

    path: str
    params: dict
    valid_v2: bool
    valid_v3: bool
    headers: dict


class Application:
    """An HTTP server. `/answer` returns the document given for the called user,
    `pages` are a body and its type for a path, `/callback` and `/exit` note what
    they get, and the rest misbehaves."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self.documents = {}
        self.pages = {}
        self.requests = []
        self.changed = threading.Condition()
        handler = type("Handler", (Handler,), {"application": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, user, document):
        """Answers calls to `user` with `document`: a ResponseElement, a text, or
        a function that makes one of the request's parameters."""
        self.documents[user] = document

    def document(self, user, params):
        document = self.documents.get(user, "<Response><Hangup/></Response>")
        document = document(params) if callable(document) else document
        return document if isinstance(document, str) else document.to_string()

    def note(self, request):
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()

    def on(self, path):
        with self.changed:
            return [request for request in self.requests if request.path == path]

    def callbacks(self, conference=None):
        """The parameters of the status callbacks so far, for one MPC or all."""
        every = [request.params for request in self.on("/callback")]
        return [params for params in every if conference in (None, params.get("MPCName"))]

    def callback(self, seconds=5, **wanted):
        """The parameters of the first callback that has those `wanted`."""

        def found():
            return next((p for p in self.callbacks() if all(p.get(k) == v for k, v in wanted.items())), None)

        deadline = time.monotonic() + seconds
        with self.changed:
            while not (params := found()) and (left := deadline - time.monotonic()) > 0:
                self.changed.wait(left)
        return params

    def stop(self):
        self.server.shutdown()


class Handler(BaseHTTPRequestHandler):
    application = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):  # noqa: N802 - named by the library
        self.handle_request({})

    def do_POST(self):  # noqa: N802 - named by the library
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.handle_request(dict(parse_qsl(body, keep_blank_values=True)))

    def handle_request(self, form):
        address = urlsplit(self.path)
        params = dict(parse_qsl(address.query, keep_blank_values=True)) | form
        # The Node SDK takes a URL only with something in it that looks like a domain.
        path = address.path.removesuffix(".xml")
        headers = {name.title(): value for name, value in self.headers.items()}
        self.application.note(Request(path, params, self.valid_v2(), self.valid_v3(form), headers))
        if page := self.application.pages.get(path):
            self.reply(200, *page)
            return
        user = params.get("To", "").removeprefix("sip:").split("@")[0]
        respond = {"/answer": self.answer, "/exit": self.answer, "/loop": self.loop}
        respond.get(path, self.acknowledge)(f"exit-{user}" if path == "/exit" else user, params)

    def url(self):
        return self.application.url + self.path

    def valid_v2(self):
        nonce, signature = (self.headers.get(f"X-Plivo-Signature-V2{end}", "") for end in ("-Nonce", ""))
        return plivo.utils.validate_signature(self.url(), nonce, signature, AUTH_TOKEN)

    def valid_v3(self, form):
        nonce, signature = (self.headers.get(f"X-Plivo-Signature-V3{end}", "") for end in ("-Nonce", ""))
        return plivo.utils.validate_v3_signature(self.command, self.url(), nonce, AUTH_TOKEN, signature, form)

    def acknowledge(self, _user, _params):
        self.reply(200, b"", "text/plain")

    def answer(self, user, params):
        misbehave = {"slow": self.slow, "loop": self.loop, "huge": self.huge, "error": self.error}
        if user in misbehave:
            return misbehave[user]()
        self.reply(200, self.application.document(user, params).encode(), "application/xml")

    def slow(self):
        """Answers long after the 15 seconds that a document may take."""
        time.sleep(25)
        self.reply(200, b"<Response/>", "application/xml")

    def loop(self, *_):
        """Redirects for ever."""
        self.reply(302, b"", "text/plain", Location=f"{self.application.url}/loop")

    def huge(self):
        """Ten megabytes of well-formed XML."""
        body = b"<Response>" + b"<Wait length='1'/>" * (10_000_000 // 18) + b"</Response>"
        self.reply(200, body, "application/xml")

    def error(self):
        self.reply(500, b"out of order", "text/plain")

    def reply(self, status, body, media_type, **headers):
        try:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
