# SPDX-License-Identifier: MIT
"""What is asked, of whom, and what is to be reached. The goals are those of docs/benchmarks.md."""

import random
from dataclasses import dataclass, field

from contestants import MEASURED, SHOWCASE

VARIANTS = 16


@dataclass(frozen=True)
class Judgement:
    """`figure` of `who` against that of `against`, in pairs of turns."""

    figure: str  # server, both, p99
    against: str = "floor"
    goal: float | None = None
    who: str = "spate"


@dataclass(frozen=True)
class Scenario:
    what: str
    flags: tuple = ()  # of spate-load
    path: str = "/plaintext"
    binary: str = SHOWCASE
    requests: object = None  # makes the text of --requests
    judgements: tuple = (Judgement("server", goal=1.10),)
    witnesses: bool = False
    naive: bool = False  # the naive floor takes turns too
    closes: str = ""  # which connections end: "", "all", "some"
    at: float | None = None  # open loop at this share of what the slower of floor and Spate reaches; None: closed loop
    rounds: float = 1.0  # of --pairs
    two_workers: bool = field(default=False)


def browser_requests():
    """Fifteen header fields as a browser sends them, different from request to request."""
    source = random.Random(15)
    paragraphs = []
    for _ in range(VARIANTS):
        version = source.randrange(110, 140)
        session = "".join(source.choices("0123456789abcdef", k=32))
        paragraphs.append("\n".join([
            f"GET /plaintext?page={source.randrange(1000)}",
            f"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36",
            "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            f"Accept-Language: {source.choice(['en-GB,en;q=0.9,de;q=0.7', 'de-DE,de;q=0.9', 'fr-FR,fr;q=0.9,en;q=0.5', 'en-US,en;q=0.9'])}",
            "Accept-Encoding: gzip, deflate, br, zstd",
            f"Referer: https://example.com/a/page/{source.randrange(10_000)}.html",
            f"Cookie: session={session}; theme={source.choice(['dark', 'light'])}; visits={source.randrange(100)}",
            "Cache-Control: max-age=0",
            "Upgrade-Insecure-Requests: 1",
            f'Sec-CH-UA: "Chromium";v="{version}", "Not;A=Brand";v="24"',
            "Sec-CH-UA-Mobile: ?0",
            'Sec-CH-UA-Platform: "Linux"',
            "Sec-Fetch-Dest: document",
            "Sec-Fetch-Mode: navigate",
        ]))  # with Host: fifteen
    return "\n\n".join(paragraphs) + "\n"


def parameter_requests():
    """Routes from all parts of the 200, with ids of one length, so that all answers have one length."""
    source = random.Random(200)
    return "\n\n".join(f"GET /shelf{source.randrange(200):03}/{source.randrange(100_000, 1_000_000)}" for _ in range(VARIANTS)) + "\n"


SHORT = ("--connections", "64", "--reconnect", "1")

SCENARIOS = {
    "keepalive-64": Scenario("keep-alive, 64 connections", ("--connections", "64"), witnesses=True,
                             judgements=(Judgement("server", goal=1.05),)),
    "keepalive-360": Scenario("keep-alive, 360 connections", ("--connections", "360"), witnesses=True,
                              judgements=(Judgement("server", goal=1.05),)),
    "pipelined-16": Scenario("64 connections with 16 requests in flight", ("--connections", "64", "--pipeline", "16"),
                             witnesses=True, judgements=(Judgement("server", goal=1.20),)),
    "short": Scenario("a connection for each request, Connection: close", SHORT, witnesses=True, naive=True, closes="all",
                      judgements=(Judgement("server", "naive", 0.70), Judgement("both", "naive", 0.84),
                                  Judgement("server", goal=1.05), Judgement("both"))),
    "mix-70-30": Scenario("64 connections, 70 % of them persistent, 30 % new for each request",
                          ("--connections", "64", "--short-share", "0.3"), witnesses=True, closes="some",
                          judgements=(Judgement("server"), Judgement("both"))),
    "browser-headers": Scenario("15 header fields that vary", ("--connections", "64"), requests=browser_requests,
                                witnesses=True),
    "parameter-200": Scenario("a parameter route among 200", ("--connections", "64"), binary=MEASURED,
                              requests=parameter_requests),
    "json": Scenario("a struct as JSON", ("--connections", "64"), path="/json", witnesses=True),
    "post-1k": Scenario("POST 1 KiB, its length in return", ("--connections", "64", "--body-size", "1024"), path="/body",
                        binary=MEASURED),
    "latency-60": Scenario("open loop at 60 % of saturation, 64 connections", ("--connections", "64"), at=0.6, rounds=1.5,
                           witnesses=True, judgements=(Judgement("p99", goal=25), Judgement("server", goal=1.05))),
    "workers": Scenario("two workers on both cores at 30 % of one worker's saturation, against one", ("--connections", "64"),
                        at=0.3, two_workers=True, judgements=(Judgement("server", "one-worker", 1.03, "two-workers"),)),
}
