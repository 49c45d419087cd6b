"""A coverage-guided fuzz run of all that reads a request before its key is looked at.

``python -m dev.fuzz SERIES SECONDS``: libFuzzer changes requests until they reach what
none has reached; what is no answer of the protocol ends the run, with its traceback.
https://github.com/google/atheris
"""

import io
import sys
import tempfile
from pathlib import Path

import atheris
from werkzeug.datastructures import Headers

from dev import odoo_source, paths
from dev.tests import addon_code

SEED = 20260728
LONGEST = 4096
FUZZED = ("http1", "rpc", "revision", "guard", "narrowing", "validation")
REVISIONS = ("2024-11-05", "2025-03-26", "2025-11-25")


def main(series: str, seconds: str) -> None:
    """Fuzz for some seconds, always in the same order."""
    source = odoo_source.find(series)
    addon_code.reachable(source)
    include = [f"{addon_code.PACKAGE}.controllers.{name}" for name in FUZZED]
    with atheris.instrument_imports(include=include):
        modules = [addon_code.module(source, f"controllers.{n}") for n in FUZZED]
    with tempfile.TemporaryDirectory() as corpus:
        _seed(Path(corpus))
        options = (
            *(f"-seed={SEED}", f"-max_total_time={seconds}", f"-max_len={LONGEST}"),
            *("-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"),
            f"-artifact_prefix={paths.made(paths.cache() / 'fuzz')}/",
        )
        atheris.Setup([sys.argv[0], *options, corpus], _reader(*modules))
        atheris.Fuzz()


def _seed(corpus: Path) -> None:
    """Begin with the attacks that are known."""
    sys.path.insert(0, str(paths.REPOSITORY / "tests"))
    from attacks.http import BODIES, RAW

    head = b"POST /mcp/v1 HTTP/1.1\r\nHost: localhost\r\n"
    ping = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    sent = [raw.sent.replace(b"{head}", head).replace(b"{ping}", ping) for raw in RAW]
    for body in BODIES:
        length = b"Content-Length: %d\r\n\r\n" % len(body.sent)
        sent.append(head + length + body.sent)
    for number, whole in enumerate(one for one in sent if len(one) < LONGEST):
        (corpus / str(number)).write_bytes(whole)


def _reader(http1, rpc, revision, guard, narrowing, validation):
    """What reads a connection's bytes as the listener does, up to the key."""
    own = guard.Guard(["odoo.example"], ["https://chat.example"])
    exchange = sys.modules[f"{addon_code.PACKAGE}.controllers.exchange"]

    def read(data: bytes) -> None:
        stream = io.BytesIO(data)
        try:
            while head := http1.read_head(stream):
                body = http1.read_body(head, stream)
                query = head.target.partition("?")[2]
                request = exchange.HttpRequest(
                    head.method, head.headers, body, "127.0.0.1", query=query
                )
                own.check(request)
                narrowing.narrowings(request)
                _examine(rpc.parse(body), head.headers)
        except rpc.RpcError as fault:
            rpc.error(None, fault)

    def _examine(message: object, headers: Headers) -> None:
        rpc.check_envelope(message)
        if rpc.is_request(message):
            envelope = revision.open_envelope(headers, message)
            for spoken in (envelope.revision, *REVISIONS):
                validation.validate(message, spoken, stays=True)

    return read


if __name__ == "__main__":
    main(*sys.argv[1:])
