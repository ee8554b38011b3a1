"""A bucket of somebody else's S3 (`moto`) that can be down."""

import threading
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, make_server

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app

NAME = "calls"
KEY = {
    "aws_access_key_id": "acceptance",
    "aws_secret_access_key": "acceptance-secret",
    "region_name": "us-east-1",
}


class Bucket:
    """What it holds outlives its server, as that of a real one does."""

    def __init__(self, port):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.application = DomainDispatcherApplication(create_backend_app)
        self.client = boto3.client("s3", endpoint_url=self.url, **KEY)
        # The numbers of the parts that it took, and with how many it stops to answer.
        self.parts = []
        self.most_parts = None
        self.server = None
        self.up()
        self.client.create_bucket(Bucket=NAME)
        self.down()

    def up(self, most_parts=None):
        self.most_parts = most_parts
        self.server = make_server("127.0.0.1", self.port, self._answer, handler_class=Quiet)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def _answer(self, environ, start_response):
        if self.most_parts is not None and len(self.parts) >= self.most_parts:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        if part := parse_qs(environ["QUERY_STRING"]).get("partNumber"):
            self.parts.append(int(part[0]))
        return self.application(environ, start_response)

    def objects(self):
        """Every object's bytes by its name."""
        read = lambda name: self.client.get_object(Bucket=NAME, Key=name)["Body"].read()  # noqa: E731
        return {name: read(name) for name in self.names()}

    def names(self):
        return [one["Key"] for one in self.client.list_objects_v2(Bucket=NAME).get("Contents", [])]

    def uploads(self):
        """Those that are begun and neither completed nor given up."""
        return self.client.list_multipart_uploads(Bucket=NAME).get("Uploads", [])


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass
