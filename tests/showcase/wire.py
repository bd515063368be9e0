# SPDX-License-Identifier: MIT
"""Bytes as they are on the wire: pipelining, drip, HTTP/1.0, half-close, malformed requests, 100-continue."""

import json
import time
import zlib

from harness import Wire

HOST = b"Host: x\r\n"


def get(target, *lines, method="GET", version="1.1"):
    return f"{method} {target} HTTP/{version}\r\n".encode() + HOST + b"".join(line.encode() + b"\r\n" for line in lines) + b"\r\n"


def post(target, content, *lines):
    return get(target, f"Content-Length: {len(content)}", *lines, method="POST") + content


def chunked(target, *pieces, lines=()):
    body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"
    return get(target, "Transfer-Encoding: chunked", *lines, method="POST") + body


def user(name):
    return f'{{"name":"{name}","age":1,"role":"member"}}'.encode()


AS_JSON = "Content-Type: application/json"


def pipeline():
    """Requests with what must come back: method, status, content (a pattern where it starts with ^)."""
    lines = "".join(f"line {i} of 4\n" for i in range(1, 5))
    return [
        (get("/plaintext"), "GET", 200, "Hello, World!"),
        (get("/sleep?ms=60"), "GET", 200, '{"slept_ms":60}'),
        (get("/hello/one"), "GET", 200, '{"hello":"one"}'),
        (post("/echo", b"first echo"), "POST", 200, "first echo"),
        (post("/users", user("pipelined-a"), AS_JSON), "POST", 201, r'^\{"id":\d+,"name":"pipelined-a","age":1,.*'),
        (get("/stream?chunks=4&pause=10"), "GET", 200, lines),
        (get("/plaintext", method="HEAD"), "HEAD", 200, ""),
        (chunked("/echo", b"second ", b"echo, ", b"in chunks"), "POST", 200, "second echo, in chunks"),
        (get("/nowhere"), "GET", 404, r'^\{"type":"about:blank","title":"Not Found".*'),
        (get("/sleep?ms=5"), "GET", 200, '{"slept_ms":5}'),
        (post("/users", user("pipelined-b"), AS_JSON), "POST", 201, r'^\{"id":\d+,"name":"pipelined-b","age":1,.*'),
        (get("/json"), "GET", 200, '{"message":"Hello, World!"}'),
        (get("/stream?chunks=4&pause=0"), "GET", 200, lines),
        (post("/upload", b"123456789"), "POST", 200, f'{{"bytes":9,"crc32":{zlib.crc32(b"123456789")}}}'),
        (post("/users", b'{"name":1}', AS_JSON), "POST", 422, r'^.*"pointer":"/name".*'),
        (get("/fail"), "GET", 500, r'^.*"status":500.*'),
        (chunked("/echo", b"third echo"), "POST", 200, "third echo"),
        (get("/stream?chunks=9000&pause=0", method="HEAD"), "HEAD", 200, ""),
        (get("/hello/two"), "GET", 200, '{"hello":"two"}'),
        (get("/plaintext"), "GET", 200, "Hello, World!"),
    ]


def expect_pipeline(checks, name, wire, requests):
    for number, (_, method, status, content) in enumerate(requests, 1):
        answer = wire.answer(method)
        checks.equal(f"{name}, answer {number}: status", answer.status, status)
        if content.startswith("^"):
            checks.matches(f"{name}, answer {number}: content", answer.text, content)
        else:
            checks.equal(f"{name}, answer {number}: content", answer.text, content)


def pipelining(checks, server):
    requests = pipeline()
    checks.equal("there are 20 pipelined requests", len(requests), 20)
    with server.wire() as wire:
        wire.send(b"".join(request[0] for request in requests))
        expect_pipeline(checks, "20 in one write", wire, requests)
        wire.send(get("/connection"))
        checks.equal("they shared a connection", json.loads(wire.answer().text)["requests"], 21)
    many = [(get(f"/hello/{i}"), "GET", 200, f'{{"hello":"{i}"}}') for i in range(500)]
    with server.wire() as wire:
        wire.send(b"".join(request[0] for request in many))
        expect_pipeline(checks, "500 in one write", wire, many)


def drip(checks, server):
    requests = pipeline()
    with server.wire() as wire:
        wire.drip(b"".join(request[0] for request in requests))
        expect_pipeline(checks, "byte by byte", wire, requests)
    # Cut at every place of one request, in two writes.
    for request, method, content in ((post("/echo", b"0123456789"), "POST", "0123456789"), (get("/hello/cut"), "GET", '{"hello":"cut"}'),
                                     (chunked("/echo", b"abc", b"defgh"), "POST", "abcdefgh")):
        with server.wire() as wire:
            good = 0
            for cut in range(1, len(request)):
                wire.send(request[:cut])
                wire.send(request[cut:])
                good += wire.answer(method).text == content
            checks.equal(f"cut at every byte: {request[:20]!r}", good, len(request) - 1)


def http10(checks, server):
    with server.wire() as wire:
        wire.send(b"GET /plaintext HTTP/1.0\r\n\r\n")
        answer = wire.answer()
        checks.equal("HTTP/1.0 without Host", (answer.status, answer.text, answer.field("connection")), (200, "Hello, World!", "close"))
        checks.equal("HTTP/1.0 closes", wire.rest(), b"")
    with server.wire() as wire:
        for _ in range(2):
            wire.send(b"GET /plaintext HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            answer = wire.answer()
            checks.equal("HTTP/1.0 kept alive", ((answer.field("connection") or "").lower(), answer.text), ("keep-alive", "Hello, World!"))
    with server.wire() as wire:
        wire.send(b"GET /stream?chunks=3&pause=0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        answer = wire.answer()
        checks.equal("HTTP/1.0 stream ends with the connection",
                     (answer.text, answer.field("transfer-encoding")), ("line 1 of 3\nline 2 of 3\nline 3 of 3\n", None))


def closing(checks, server):
    with server.wire() as wire:
        wire.send(get("/plaintext", "Connection: close") + get("/json"))
        answer = wire.answer()
        checks.equal("a request may ask to close", (answer.text, answer.field("connection")), ("Hello, World!", "close"))
        checks.equal("what follows it is not answered", wire.rest(), b"")
    with server.wire() as wire:
        wire.send(post("/connection/close", b""))
        checks.equal("a handler may close", wire.answer("POST").field("connection"), "close")
        checks.equal("and it is closed", wire.rest(), b"")


def half_close(checks, server):
    with server.wire() as wire:
        wire.send(get("/plaintext") + post("/echo", b"abc") + get("/json"))
        wire.finish_sending()
        checks.equal("requests before a half-close are answered, 1", wire.answer().text, "Hello, World!")
        checks.equal("requests before a half-close are answered, 2", wire.answer("POST").text, "abc")
        checks.equal("requests before a half-close are answered, 3", wire.answer().text, '{"message":"Hello, World!"}')
        checks.equal("then it is closed", wire.rest(), b"")
    # Who stops sending while a handler waits has gone, as browsers and curl do.
    began = time.monotonic()
    with server.wire() as wire:
        wire.send(get("/sleep?ms=9000"))
        time.sleep(0.2)
        wire.finish_sending()
        try:
            left = wire.rest()
        except ConnectionResetError:
            left = b""
        checks.equal("a half-close while a handler waits ends it", left, b"")
    checks.check("it ends at once", time.monotonic() - began < 3, f"after {time.monotonic() - began:.1f} s")


def vanish(checks, server):
    for _ in range(20):
        wire = server.wire()
        wire.send(get("/stream?chunks=10000&pause=0"))
        wire.take(1000)
        wire.socket.close()
    for _ in range(20):
        wire = server.wire()
        wire.send(get("/echo", "Content-Length: 1000", method="POST") + b"half of it")
        wire.socket.close()
    checks.equal("clients that vanish cost themselves only", server.curl("/plaintext").text, "Hello, World!")


def continue_100(checks, server):
    with server.wire() as wire:
        wire.send(get("/echo", "Content-Length: 5", "Expect: 100-continue", method="POST"))
        checks.equal("100 Continue", wire.take_to(b"\r\n\r\n"), b"HTTP/1.1 100 Continue")
        wire.send(b"hello")
        answer = wire.answer("POST")
        checks.equal("100 Continue, then the answer", (answer.status, answer.text, answer.informational), (200, "hello", []))
    with server.wire() as wire:
        wire.send(get("/users", "Content-Length: 70000", "Expect: 100-continue", AS_JSON, method="POST"))
        answer = wire.answer("POST")
        checks.equal("content that is refused is not asked for", (answer.status, answer.informational), (413, []))
        checks.equal("content that is refused: closed", wire.rest(), b"")
    with server.wire() as wire:
        wire.send(get("/echo", "Content-Length: 5", "Expect: 100-continue", method="POST") + b"hello")
        answer = wire.answer("POST")
        checks.equal("content that is there already", (answer.status, answer.text), (200, "hello"))
    with server.wire() as wire:
        wire.send(get("/plaintext", "Expect: 100-continue"))
        answer = wire.answer()
        checks.equal("an expectation without content", (answer.status, answer.informational), (200, []))


BAD = [
    ("no method", 400, b" / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("no target", 400, b"GET HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("no version", 400, b"GET /\r\nHost: x\r\n\r\n"),
    ("garbage", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    ("a broken version", 400, b"GET / HTTP/1.x\r\nHost: x\r\n\r\n"),
    ("another major version", 505, b"GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
    ("the preface of HTTP/2", 505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("a line that ends in LF", 400, b"GET / HTTP/1.1\nHost: x\n\n"),
    ("a lone CR", 400, b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n"),
    ("a NUL in a field", 400, b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"),
    ("a space before the colon", 400, b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n"),
    ("a folded line", 400, b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"),
    ("a line without a colon", 400, b"GET / HTTP/1.1\r\nHost: x\r\nabc\r\n\r\n"),
    ("a field without a name", 400, b"GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n"),
    ("no Host", 400, b"GET / HTTP/1.1\r\n\r\n"),
    ("two Hosts", 400, b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
    ("a bad Host", 400, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ("a raw space in the target", 400, b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("length and coding", 400, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("two lengths", 400, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    ("a length that is no number", 400, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc"),
    ("a length beyond 2^64", 400, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551617\r\n\r\na"),
    ("a coding in HTTP/1.0", 400, b"POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("chunked twice", 400, b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    ("an unknown coding", 501, b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("a chunk without a size", 400, b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
    ("a chunk that is too long", 400, b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"),
    ("an unknown expectation", 417, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 200-ok\r\n\r\na"),
    ("a long request line", 414, b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("long fields", 431, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * 40_000 + b"\r\n\r\n"),
    ("many fields", 431, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 101 + b"\r\n"),
    ("too much content", 413, b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 2147483648\r\n\r\n"),
]


def refused(checks, server, name, status, request):
    with server.wire() as wire:
        # A good request before, so that only the bad one is refused; and one behind it that nobody may answer.
        wire.send(get("/plaintext") + request + get("/json"))
        checks.equal(f"{name}: the request before", wire.answer().text, "Hello, World!")
        answer = wire.answer("POST")
        checks.equal(f"{name}: status", answer.status, status)
        checks.equal(f"{name}: type", answer.field("content-type"), "application/problem+json")
        problem = json.loads(answer.text)
        checks.equal(f"{name}: status inside", problem["status"], status)
        checks.check(f"{name}: it says why", len(problem.get("detail", "")) > 10, answer.text)
        checks.equal(f"{name}: says that it closes", answer.field("connection"), "close")
        checks.equal(f"{name}: closes, and answers nothing more", wire.rest(), b"")


def ipv6(checks, server):
    answer = server.curl("/plaintext", url=server.url6)
    checks.equal("IPv6", (answer.status, answer.text), (200, "Hello, World!"))
    with Wire(server.address6) as wire:
        requests = pipeline()
        wire.send(b"".join(request[0] for request in requests))
        expect_pipeline(checks, "IPv6, 20 in one write", wire, requests)


def absolute_form(checks, server):
    with server.wire() as wire:
        wire.send(b"GET http://x/hello/absolute HTTP/1.1\r\nHost: x\r\n\r\n")
        checks.equal("a target in absolute form", wire.answer().text, '{"hello":"absolute"}')
        wire.send(b"\r\nGET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n")
        checks.equal("an empty line before a request", wire.answer().text, "Hello, World!")


def begin_longest_sleep(server):
    wire = server.wire()
    wire.send(get("/sleep?ms=99999999"))
    return wire, time.monotonic()


def end_longest_sleep(checks, begun):
    wire, began = begun
    with wire:
        answer = wire.answer()
        took = time.monotonic() - began
        checks.equal("the longest sleep is capped", answer.text, '{"slept_ms":10000}')
        checks.check("it took its time", 9.9 < took, f"{took:.1f} s")


def run(checks, server):
    for group in (pipelining, drip, http10, closing, half_close, vanish, continue_100, ipv6, absolute_form):
        checks.attempt(group.__name__, group, checks, server)
    for case in BAD:
        checks.attempt(case[0], refused, checks, server, *case)
