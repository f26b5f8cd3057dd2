# SPDX-License-Identifier: Apache-2.0
"""An HTTP server in the test's own process, on a free port."""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Of a LocalServer: quiet, keeps connections, and answers in one piece."""
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_):
        pass

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class LocalServer:
    def __init__(self, handler, path=""):
        """Serves at once; a handler that may be held waits for `open`."""
        self.open = threading.Event()
        self.open.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}{path}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def hold(self):
        """Requests get no answer until `release`."""
        self.open.clear()

    def release(self):
        self.open.set()

    def stop(self):
        self.release()
        self._server.shutdown()
        self._server.server_close()
