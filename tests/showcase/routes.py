# SPDX-License-Identifier: MIT
"""`curl -i` on every route: status, the fields that matter, and the exact content."""

import json
import random
import re
import zlib

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
PROBLEM = "application/problem+json"
TITLES = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
          413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content",
          500: "Internal Server Error", 501: "Not Implemented"}
AS_JSON = ("-H", "content-type: application/json")
DATE = r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"

# name, target, flags of curl, status, type, content, further fields (None: not there)
GOOD = [
    ("text", "/plaintext", (), 200, TEXT, "Hello, World!", {"x-content-type-options": "nosniff", "content-length": "13"}),
    ("a struct is JSON", "/json", (), 200, JSON, '{"message":"Hello, World!"}', {"content-length": "27"}),
    ("a path parameter", "/hello/Ada", (), 200, JSON, '{"hello":"Ada"}', {}),
    ("a path parameter is decoded once", "/hello/J%C3%BCrgen%2520", (), 200, JSON, '{"hello":"Jürgen%20"}', {}),
    ("HTML escapes", "/card?name=%3Cb%3E%26%22", (), 200, "text/html; charset=utf-8",
     "<h1>Hello, &lt;b&gt;&amp;&quot;!</h1>\n", {"x-content-type-options": "nosniff"}),
    ("a redirect", "/old", (), 301, None, "", {"location": "/plaintext", "content-length": "0"}),
    ("a user", "/users/7", (), 200, JSON, '{"id":7,"name":"User 7","age":27,"role":"member","email":null}', {}),
    ("echo", "/echo", ("-d", "a=b", "-H", "content-type: text/x-odd"), 200, "text/x-odd", "a=b",
     {"transfer-encoding": "chunked", "content-length": None}),
    ("echo of nothing", "/echo", ("-X", "POST"), 200, "application/octet-stream", "", {}),
    ("upload", "/upload", ("-d", "123456789"), 200, JSON, f'{{"bytes":9,"crc32":{0xcbf43926}}}', {}),
    ("upload of nothing", "/upload", ("-X", "POST"), 200, JSON, '{"bytes":0,"crc32":0}', {}),
    ("a stream", "/stream?chunks=3&pause=0", (), 200, TEXT, "line 1 of 3\nline 2 of 3\nline 3 of 3\n",
     {"transfer-encoding": "chunked", "content-length": None}),
    ("a stream of no lines", "/stream?chunks=0", (), 200, TEXT, "", {}),
    ("a stream is capped", "/stream?chunks=10001&pause=0", (), 200, TEXT,
     "".join(f"line {i} of 10000\n" for i in range(1, 10001)), {}),
    ("sleep", "/sleep?ms=20", (), 200, JSON, '{"slept_ms":20}', {}),
    ("sleep as usual", "/sleep", (), 200, JSON, '{"slept_ms":100}', {}),
    ("tasks side by side", "/parallel", (), 200, JSON, '{"stock":7,"price":1999,"weather":"not in time"}', {}),
    ("a hook that lets pass", "/private/note", ("-H", "authorization: Bearer let-me-in"), 200, TEXT,
     "for the holder of the token only\n", {}),
    ("close after this answer", "/connection/close", ("-X", "POST"), 200, TEXT, "goodbye\n", {"connection": "close"}),
    ("OPTIONS of a path", "/users", ("-X", "OPTIONS"), 204, None, "", {"allow": "POST, OPTIONS", "content-length": None}),
    ("OPTIONS of the server", "", ("-X", "OPTIONS", "--request-target", "*"), 204, None, "",
     {"allow": "GET, HEAD, POST, OPTIONS"}),
]

# name, target, flags of curl, status, detail, pointer, further fields
REFUSED = [
    ("no such path", "/nowhere", (), 404, "there is nothing at this path", None, {}),
    ("a path is case-sensitive", "/PLAINTEXT", (), 404, "there is nothing at this path", None, {}),
    ("no such user", "/users/123456", (), 404, "there is no user 123456", None, {}),
    ("no integer, no route", "/users/seven", (), 404, "there is nothing at this path", None, {}),
    ("a method that the path does not take", "/plaintext", ("-X", "POST"), 405, None, None, {"allow": "GET, HEAD, OPTIONS"}),
    ("a method that the path takes not", "/upload", (), 405, None, None, {"allow": "POST, OPTIONS"}),
    ("a method that no route takes", "/plaintext", ("-X", "DELETE"), 501, None, None, {}),
    ("an unknown method", "/plaintext", ("-X", "BREW"), 501, None, None, {}),
    ("a broken escape in a path", "/hello/%zz", (), 400, None, None, {}),
    ("an encoded slash in a path", "/hello/a%2Fb", (), 400, "an encoded slash (%2F) is not allowed in the path", None, {}),
    ("a query that is no number", "/sleep?ms=soon", (), 400,
     'the query parameter "ms" must be an integer from 0 to 18446744073709551615', None, {}),
    ("a negative number of lines", "/stream?chunks=-1", (), 400,
     'the query parameter "chunks" must be an integer from 0 to 18446744073709551615', None, {}),
    ("a query that is missing", "/card", (), 400, None, None, {}),
    ("an exception", "/fail", (), 500, "the server's log says more under this request id", None, {}),
    ("a refusal of a handler", "/coffee", (), 409, "the pot is empty", None, {}),
    ("a refusal of a hook", "/private/note", (), 401, "send: Authorization: Bearer let-me-in", None,
     {"www-authenticate": "Bearer"}),
    ("a wrong token", "/private/note", ("-H", "authorization: Bearer let-me"), 401, None, None, {"www-authenticate": "Bearer"}),
    ("no JSON", "/users", ("-d", "{", *AS_JSON), 400, None, None, {}),
    ("a form in place of JSON", "/users", ("-d", "name=x"), 415, None, None, {}),
    ("no content in place of JSON", "/users", ("-X", "POST", *AS_JSON), 400, None, None, {}),
    ("a text in place of a number", "/users", ("-d", '{"name":"x","age":"36","role":"admin"}', *AS_JSON), 422, None, "/age", {}),
    ("a number that does not fit", "/users", ("-d", '{"name":"x","age":4294967296,"role":"admin"}', *AS_JSON), 422, None, "/age", {}),
    ("a member that is missing", "/users", ("-d", '{"name":"x","role":"admin"}', *AS_JSON), 422, None, "/age", {}),
    ("a name that the enum does not have", "/users", ("-d", '{"name":"x","age":1,"role":"queen"}', *AS_JSON), 422,
     'unknown name; expected "member", "editor" or "admin"', "/role", {}),
    ("what validate() refuses", "/users", ("-d", '{"name":"","age":1,"role":"admin"}', *AS_JSON), 422,
     "a user needs a name", None, {}),
    ("what validate() refuses, again", "/users", ("-d", '{"name":"x","age":151,"role":"admin"}', *AS_JSON), 422,
     "an age lies between 0 and 150", None, {}),
]


def common(checks, name, answer):
    checks.matches(f"{name}: date", answer.field("date") or "", DATE)
    checks.equal(f"{name}: the after hook ran", answer.field("x-served-by"), "spate")
    checks.equal(f"{name}: no banner", answer.field("server"), None)


def good(checks, server, name, target, flags, status, kind, content, fields):
    answer = server.curl(target, *flags)
    checks.equal(f"{name}: status", answer.status, status)
    checks.equal(f"{name}: type", answer.field("content-type"), kind)
    checks.equal(f"{name}: content", answer.text, content)
    for field, value in fields.items():
        checks.equal(f"{name}: {field}", answer.field(field), value)
    common(checks, name, answer)


def refused(checks, server, name, target, flags, status, detail, pointer, fields):
    answer = server.curl(target, *flags)
    checks.equal(f"{name}: status", answer.status, status)
    checks.equal(f"{name}: type", answer.field("content-type"), PROBLEM)
    problem = json.loads(answer.text)
    checks.equal(f"{name}: title", problem.get("title"), TITLES[status])
    checks.equal(f"{name}: status inside", problem.get("status"), status)
    checks.matches(f"{name}: request id", problem.get("request_id", ""), "[0-9a-f]{16}")
    checks.equal(f"{name}: pointer", problem.get("pointer"), pointer)
    if detail is not None:
        checks.equal(f"{name}: detail", problem.get("detail"), detail)
    else:
        checks.check(f"{name}: it says why", len(problem.get("detail", "")) > 10, answer.text)
    for field, value in fields.items():
        checks.equal(f"{name}: {field}", answer.field(field), value)
    common(checks, name, answer)


def users(checks, server):
    answer = server.curl("/users", "-d", '{"name":"Grace","age":36,"role":"editor","email":"g@example.org","more":[1]}', *AS_JSON)
    checks.equal("create a user: status", answer.status, 201)
    checks.matches("create a user: location", answer.field("location") or "", r"/users/\d+")
    id_ = answer.field("location").rsplit("/", 1)[1]
    expected = f'{{"id":{id_},"name":"Grace","age":36,"role":"editor","email":"g@example.org"}}'
    checks.equal("create a user: content", answer.text, expected)
    checks.equal("the created user is found", server.curl(f"/users/{id_}").text, expected)


def bodies(checks, server):
    data = random.Random(7).randbytes(3_000_000)
    for name, flags in (("with a length", ()), ("chunked", ("-H", "transfer-encoding: chunked")),
                        ("after 100 Continue", ("-H", "expect: 100-continue"))):
        answer = server.curl("/upload", "--data-binary", "@-", *flags, data=data)
        checks.equal(f"upload {name}", json.loads(answer.text), {"bytes": len(data), "crc32": zlib.crc32(data)})
        answer = server.curl("/echo", "--data-binary", "@-", *flags, data=data)
        checks.check(f"echo {name}", answer.body == data, f"{len(answer.body)} bytes came back of {len(data)}")
        if "Continue" in name:
            checks.equal(f"echo {name}: 100 was sent", [early.status for early in answer.informational], [100])
    answer = server.curl("/users", "--data-binary", "@-", *AS_JSON, data=b" " * 70_000)
    checks.equal("content over the route's limit: status", answer.status, 413)
    checks.equal("content over the route's limit: closes", answer.field("connection"), "close")
    answer = server.curl("/users", "--data-binary", "@-", "-H", "transfer-encoding: chunked", *AS_JSON, data=b" " * 70_000)
    checks.equal("chunked content over the route's limit: status", answer.status, 413)


def head(checks, server):
    """HEAD says what GET would have, without the content, and does not run streams."""
    listing = json.loads(server.curl("/routes").text)
    for route in listing:
        if route["method"] != "GET":
            continue
        target = {"/hello/{name}": "/hello/Ada", "/users/{id:int}": "/users/7", "/card": "/card?name=x",
                  "/stream": "/stream?chunks=3&pause=0"}.get(route["pattern"], route["pattern"])
        get, asked = server.curl(target), server.curl(target, "-I")
        checks.equal(f"HEAD {target}: status", asked.status, get.status)
        checks.equal(f"HEAD {target}: no content", asked.body, b"")
        # The length of what says ages, counts and ids differs by itself.
        skip = {"date"} | ({"content-length"} if route["pattern"] == "/connection" else set())

        def steady(answer):
            return sorted((name.lower(), value) for name, value in answer.fields if name.lower() not in skip)

        checks.equal(f"HEAD {target}: fields", steady(asked), steady(get))
    answer = server.curl("/stream?chunks=10000&pause=1000", "-I", "-m", "3")
    checks.equal("HEAD does not run a stream", answer.status, 200)


def first_json(checks, server):
    """The very first JSON that a worker reads is no text at all; enough connections to meet every worker."""
    answers = [server.curl("/users", "-X", "POST", *AS_JSON).status for _ in range(16)]
    checks.equal("no content as the first JSON", answers, [400] * 16)


def listing(checks, server):
    rows = json.loads(server.curl("/routes").text)
    for row in rows:
        checks.matches(f"route {row['pattern']}: where", row["where"], r"[a-z_]+\.cpp:\d+")
    checks.equal("routes", sorted(f"{row['method']} {row['pattern']}" for row in rows), sorted([
        "GET /", "GET /plaintext", "GET /json", "GET /hello/{name}", "GET /card", "GET /old", "GET /users/{id:int}",
        "POST /users", "POST /echo", "POST /upload", "GET /sleep", "GET /stream", "GET /parallel", "GET /fail", "GET /coffee",
        "GET /private/note", "GET /connection", "POST /connection/close", "GET /routes"]))


def page(checks, server):
    answer = server.curl("/")
    checks.equal("page: type", answer.field("content-type"), "text/html; charset=utf-8")
    checks.check("page: complete", answer.text.startswith("<!doctype html>") and answer.text.endswith("</html>\n"))
    checks.check("page: no excerpt is missing", "<!--" not in answer.text)
    checks.check("page: asks nobody else", not re.search(r'(src|href)="(https?:)?//', answer.text))
    checks.matches("page: policy", answer.field("content-security-policy") or "",
                   r"default-src 'none'; style-src 'sha256-[\w+/]{43}='; script-src 'sha256-[\w+/]{43}='; .*")


def connection(checks, server):
    first = json.loads(server.curl("/connection").text)
    checks.matches("connection: peer", first["peer"], r"127\.0\.0\.1:\d+")
    checks.equal("connection: protocol", first["protocol"], "HTTP/1.1")
    checks.equal("connection: requests", first["requests"], 1)
    checks.equal("connection: keep-alive", first["keep_alive"], True)
    checks.check("connection: age", 0 <= first["age_ms"] < 5000, str(first))
    asked = json.loads(server.curl("/connection", "-H", "connection: close").text)
    checks.equal("connection: the client asked to close", asked["keep_alive"], False)
    old = json.loads(server.curl("/connection", "-0").text)
    checks.equal("connection: HTTP/1.0", (old["protocol"], old["keep_alive"]), ("HTTP/1.0", False))
    six = json.loads(server.curl("/connection", url=server.url6).text)
    checks.matches("connection: IPv6 peer", six["peer"], r"\[::1\]:\d+")
    # curl sends both on one connection; what it says of the first goes away.
    twice = server.curl("/connection", f"{server.url}/plaintext", "-o", "/dev/null")
    checks.equal("connection: requests are counted", json.loads(twice.text)["requests"], 2)


def request_ids(checks, server):
    answer = server.curl("/coffee", "-H", "x-request-id: abc-123")
    checks.equal("a request id of the client is kept", json.loads(answer.text)["request_id"], "abc-123")


def log(checks, server):
    """What failed is in the log under its id; what a client did wrong is not."""
    problem = json.loads(server.curl("/fail", "-H", "x-request-id: find-me-in-the-log").text)
    checks.equal("the failure has the id", problem["request_id"], "find-me-in-the-log")
    lines = [line for line in server.log_text().splitlines() if "find-me-in-the-log" in line]
    checks.equal("one line of the log has the id", len(lines), 1)
    checks.check("the line says what and where", "under water" in lines[0] and "failures.cpp:" in lines[0] and "/fail" in lines[0],
                 lines[0] if lines else "")
    checks.check("clients' mistakes are no errors", not re.search(r"error .*(/nowhere|/coffee|/users)", server.log_text()))
    checks.equal("the process lives", server.curl("/plaintext").text, "Hello, World!")


def run(checks, server):
    checks.attempt("first_json", first_json, checks, server)
    for case in GOOD:
        checks.attempt(case[0], good, checks, server, *case)
    for case in REFUSED:
        checks.attempt(case[0], refused, checks, server, *case)
    for group in (users, bodies, head, listing, page, connection, request_ids):
        checks.attempt(group.__name__, group, checks, server)
