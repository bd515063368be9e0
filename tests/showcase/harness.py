# SPDX-License-Identifier: MIT
"""The program under test, curl, a connection that sends bytes as they are, and the count of what passed."""

import re
import signal
import socket
import subprocess
import tempfile
import threading

PATIENCE = 15  # seconds; nothing here takes as long unless it hangs


class Checks:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.where = ""

    def check(self, what, good, detail=""):
        if good:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {self.where}{': ' if self.where else ''}{what}" + (f"\n  {detail}" if detail else ""), flush=True)

    def equal(self, what, got, expected):
        self.check(what, got == expected, f"got:      {got!r}\n  expected: {expected!r}")

    def matches(self, what, got, pattern):
        self.check(what, re.fullmatch(pattern, got, re.S) is not None, f"got:      {got!r}\n  expected: {pattern}")

    def attempt(self, what, function, *arguments):
        """A check that ends in an exception (no answer, cut, malformed) has failed; the others go on."""
        try:
            function(*arguments)
        except Exception as failure:  # noqa: BLE001  whatever it is, it is the outcome of this check
            self.check(what, False, f"{type(failure).__name__}: {failure}")


class Answer:
    def __init__(self, status, fields, body, version="HTTP/1.1", informational=()):
        self.status = status
        self.fields = fields
        self.body = body
        self.version = version
        self.informational = list(informational)

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name]

    def field(self, name):
        return ", ".join(self.all(name)) if self.all(name) else None

    @property
    def text(self):
        return self.body.decode()


class Malformed(Exception):
    pass


def parse_head(text):
    lines = text.decode("latin-1").split("\r\n")
    match = re.fullmatch(r"(HTTP/1\.[01]) (\d{3}) ([^\r\n]*)", lines[0])
    if not match:
        raise Malformed(f"status line {lines[0]!r}")
    fields = []
    for line in lines[1:]:
        field = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*", line)
        if not field:
            raise Malformed(f"field line {line!r}")
        fields.append((field[1], field[2]))
    return match[1], int(match[2]), fields


class Wire:
    """One connection. It parses answers strictly, so that a mistake of framing is not read kindly."""

    def __init__(self, address):
        self.socket = socket.create_connection(address[:2], timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def drip(self, data):
        for i in range(len(data)):
            self.socket.sendall(data[i:i + 1])

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise Malformed(f"the connection ended; not used: {self.buffer[:200]!r}")
        self.buffer += piece

    def take(self, size):
        while len(self.buffer) < size:
            self._more()
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def take_to(self, end):
        while end not in self.buffer:
            self._more()
        taken, self.buffer = self.buffer.split(end, 1)
        return taken

    def answer(self, method="GET"):
        informational = []
        while True:
            version, status, fields = parse_head(self.take_to(b"\r\n\r\n"))
            answer = Answer(status, fields, b"", version, informational)
            if status >= 200:
                break
            informational.append(answer)
        # RFC 9112 6.3
        lengths, coding = answer.all("content-length"), answer.all("transfer-encoding")
        if lengths and coding:
            raise Malformed("both Content-Length and Transfer-Encoding")
        if method == "HEAD" or status in (204, 304):
            return answer
        if coding:
            if coding != ["chunked"]:
                raise Malformed(f"Transfer-Encoding {coding}")
            while size := int(self.take_to(b"\r\n").decode(), 16):
                answer.body += self.take(size)
                if self.take(2) != b"\r\n":
                    raise Malformed("no CRLF behind a chunk")
            if self.take_to(b"\r\n") != b"":
                raise Malformed("trailers that nobody announced")
        elif lengths:
            if len(lengths) > 1 or not re.fullmatch(r"\d+", lengths[0]):
                raise Malformed(f"Content-Length {lengths}")
            answer.body = self.take(int(lengths[0]))
        else:
            answer.body = self.rest()
        return answer

    def rest(self):
        """Everything until the server closes."""
        while piece := self.socket.recv(65536):
            self.buffer += piece
        taken, self.buffer = self.buffer, b""
        return taken


class Server:
    """The program on free ports of 127.0.0.1 and [::1]."""

    def __init__(self, binary, engine, *flags):
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  closed with the server
        self.process = subprocess.Popen(
            [binary, "--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--workers", "2", "--engine", engine, *flags],
            stdout=subprocess.PIPE, stderr=self.log)
        watchdog = threading.Timer(PATIENCE, self.process.kill)
        watchdog.start()
        self.banner = b""
        while b"Ctrl-C" not in self.banner:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"showcase: {binary} did not start: {self.log_text()}")
            self.banner += line
        watchdog.cancel()
        port4, port6 = re.findall(rb"http://(?:127\.0\.0\.1|\[::1\]):(\d+)", self.banner)
        self.address = ("127.0.0.1", int(port4))
        self.address6 = ("::1", int(port6))
        self.url = f"http://127.0.0.1:{int(port4)}"
        self.url6 = f"http://[::1]:{int(port6)}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def wire(self):
        return Wire(self.address)

    def log_text(self):
        self.log.seek(0)
        return self.log.read().decode()

    def curl(self, target, *flags, url=None, data=None):
        """`curl -i`: the last answer, with the informational ones and redirects before it."""
        command = ["curl", "-sSi", "-g", "-m", str(PATIENCE), *flags, (url or self.url) + target]
        done = subprocess.run(command, input=data, capture_output=True, check=False)
        if done.returncode != 0:
            raise Malformed(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.decode().strip()}")
        rest, before = done.stdout, []
        while True:
            head, rest = rest.split(b"\r\n\r\n", 1)
            version, status, fields = parse_head(head)
            if status >= 200:
                return Answer(status, fields, rest, version, before)
            before.append(Answer(status, fields, b"", version))
