"""Settings and fixtures for all tests."""

import hashlib
import http.server
import re
import threading
from dataclasses import dataclass, field

import matplotlib as mpl
import pytest

from vaeimpute.cohorts.download import RemoteFile

mpl.use("Agg")  # no window, whatever the machine has


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread():
    """On networks as small as those of the tests, starting threads costs more than it saves."""
    import torch

    torch.set_num_threads(1)


@dataclass
class FileServer:
    """Files over HTTP on this machine, with ranges as real servers do them, and with faults.

    `faults` holds, per path, what to do with the next requests, one each: ``("cut", n)`` closes
    the connection after n bytes, ``("status", 503)`` answers with that, ``"no range"`` ignores the
    range, ``"page"`` sends a web page, ``"stall"`` stops in the middle until the test is over.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def add(self, name, content, *, published=True, **known):
        """Serve a file; return what would be published about it."""
        self.files[name] = content
        if published:
            known = {"md5": hashlib.md5(content).hexdigest(), "size": len(content)} | known
        return RemoteFile(name=name, url=f"http://127.0.0.1:{self.port}/{name}", **known)


@pytest.fixture
def file_server(monkeypatch):
    server = FileServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_GET(self):
            name = self.path.lstrip("/")
            asked = self.headers.get("Range")
            server.requests.append((name, asked))
            fault = server.faults.get(name) or [None]
            fault = fault.pop(0)
            if name not in server.files or (isinstance(fault, tuple) and fault[0] == "status"):
                return self.answer(404 if name not in server.files else fault[1], b"{}")
            if fault == "page":
                return self.answer(200, b"\n<!DOCTYPE html><html>Please log in</html>")
            content = server.files[name]
            version = server.versions.get(name, f'"{hashlib.md5(content).hexdigest()}"')
            known = self.headers.get("If-Range")
            if fault == "no range" or known not in (None, version):
                asked = None
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0
            total = len(content)
            if start >= total > 0:
                return self.answer(416, b"", {"Content-Range": f"bytes */{total}"})
            headers = {"ETag": version}
            if asked:
                headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
            return self.answer(206 if asked else 200, content[start:], headers, fault)

        def answer(self, status, body, headers=(), fault=None):
            self.send_response(status)
            for key, value in dict(headers).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if isinstance(fault, tuple) and fault[0] == "cut":
                self.wfile.write(body[: fault[1]])
                self.close_connection = True
            elif fault == "stall":
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                server.over.wait()
            else:
                self.wfile.write(body)

    # Nothing between the test and the server, and no waiting between attempts.
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setattr("vaeimpute.cohorts.download._WAIT", 0)
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.handle_error = lambda *_: None  # clients that hang up are part of the tests
    server.port = httpd.server_port
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.over.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()
