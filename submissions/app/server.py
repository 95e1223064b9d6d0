"""The HTTP server of the app. It answers one photo at a time, keeps nothing, and requests nothing.

A photo is the body of a POST request. It lies in a temporary folder while it is examined. Limits hold before work
begins: the size of the body before it is read, and the pixels before they are decoded. Requests share nothing but the
networks, which one request uses at a time.
"""

import tempfile
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from competition.utils.errors import InputError
from submissions.app.page import STATIC, read_static, render_error

MAX_BYTES = 64 * 2**20  # of a photo: the largest of phones and cameras have about 50 MiB
MAX_REQUESTS = 8  # photos in memory at once
TIMEOUT = 30  # seconds without a byte from the browser
LOOPBACK = ("127.0.0.1", "localhost")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server(ThreadingHTTPServer):
    """A server that answers photos.

    Args:
        answer: takes the path of a photo and whether it was manipulated, and returns HTML. It raises `InputError` for a
            photo that cannot be used. Only one thread at a time calls it.
        page: the HTML of the page.
        host, port: address; port 0 takes a free one.

    Raises:
        InputError: the address cannot be used.
    """

    daemon_threads = True

    def __init__(self, answer: Callable[[Path, bool], str], page: str, host: str, port: int) -> None:
        self.answer, self.page, self.host = answer, page, host
        self.networks, self.requests = threading.Lock(), threading.BoundedSemaphore(MAX_REQUESTS)
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise InputError(
                f"the address {host}:{port} cannot be used ({error.strerror}); give another --host or --port"
            ) from None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if not self._is_own():
            self._send_error(HTTPStatus.FORBIDDEN, "this address does not belong to the app")
        elif path == "/":
            self._send(HTTPStatus.OK, self.server.page.encode())
        elif path in STATIC:
            self._send(HTTPStatus.OK, read_static(path), STATIC[path])
        else:
            self._send_error(HTTPStatus.NOT_FOUND, "there is no such page")

    def do_POST(self) -> None:
        self.close_connection = True  # the body may not have been read
        parts, length = urlsplit(self.path), self.headers.get("Content-Length", "")
        if not self._is_own():
            self._send_error(HTTPStatus.FORBIDDEN, "this address does not belong to the app")
        elif parts.path != "/photo":
            self._send_error(HTTPStatus.NOT_FOUND, "there is no such page")
        elif not length.isdecimal():
            self._send_error(HTTPStatus.LENGTH_REQUIRED, "the request does not say how large the photo is")
        elif int(length) > MAX_BYTES:
            self._send_error(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the file has {int(length) / 2**20:.0f} MiB, expected at most {MAX_BYTES // 2**20} MiB",
            )
        elif not self.server.requests.acquire(blocking=False):
            self._send_error(HTTPStatus.SERVICE_UNAVAILABLE, "too many photos at once; try again in a minute")
        else:
            try:
                self._answer_photo(int(length), parse_qs(parts.query).get("manipulated") == ["yes"])
            finally:
                self.server.requests.release()

    def _answer_photo(self, length: int, manipulated: bool) -> None:
        problem, answer = "", ""
        with tempfile.TemporaryDirectory(prefix="camera-app-") as folder:
            path = Path(folder) / "photo"
            path.write_bytes(self.rfile.read(length))
            try:
                with self.server.networks:
                    answer = self.server.answer(path, manipulated)
            except InputError as error:
                problem = str(error).replace(f"{path}", "the file")
        if problem:  # the photo is deleted before the answer is sent
            self._send_error(HTTPStatus.UNPROCESSABLE_ENTITY, problem)
        else:
            self._send(HTTPStatus.OK, answer.encode())

    def _is_own(self) -> bool:
        """Whether the request comes from the page of this server, and not from a page of another site.

        A page elsewhere could send photos here, or reach a local server under a name of its own (DNS rebinding).
        """
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        is_local = self.server.host in LOOPBACK
        known = {f"{name}:{self.server.server_port}" for name in LOOPBACK} if is_local else {host}
        return host in known and origin in (None, f"http://{host}")

    def _send_error(self, status: HTTPStatus, message: str) -> None:
        self.close_connection = True
        self._send(status, render_error(message).encode())

    def _send(self, status: HTTPStatus, body: bytes, kind: str = "text/html; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: the terminal is for errors."""
