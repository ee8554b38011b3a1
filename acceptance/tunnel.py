"""A web proxy that takes every host for one port of this machine."""

import contextlib
import socket
import threading


class Tunnel:
    def __init__(self, port, to_port):
        self.url = f"http://127.0.0.1:{port}"
        self.to_port = to_port
        self.asked = []
        self.server = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client):
        """Takes `CONNECT host:port`, and carries bytes both ways from then on."""
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += client.recv(4096)
        self.asked.append(request.split()[1].decode())
        far = socket.create_connection(("127.0.0.1", self.to_port))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=carry, args=(far, client), daemon=True).start()
        carry(client, far)

    def stop(self):
        self.server.close()


def carry(source, sink):
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
