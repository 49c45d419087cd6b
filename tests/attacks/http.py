"""What comes over HTTP that is no honest request.

``{head}`` is the request line and the fields up to those about the body, with a key;
``{ping}`` a body of 40 bytes, ``{call}`` a whole request that calls a tool.
"""

import gzip
import json
import zlib
from typing import NamedTuple


class Raw(NamedTuple):
    """Bytes for the listener.

    :param statuses: of its answers, all of them; the tool is called in no case
    """

    kind: str
    sent: bytes
    statuses: list[int]


LENGTH = b"Content-Length: 40\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"

RAW = [
    *(
        Raw("length and chunks", b"{head}" + fields + b"\r\n" + body, [400])
        for fields, body in (
            # CL.TE, TE.CL, TE.TE: portswigger.net/web-security/request-smuggling
            (LENGTH + CHUNKED, b"0\r\n\r\n{call}"),
            (b"Content-Length: 4\r\n" + CHUNKED, b"28\r\n{ping}\r\n0\r\n\r\n{call}"),
            (CHUNKED + b"Content-Length: 0\r\n", b"28\r\n{ping}\r\n0\r\n\r\n{call}"),
            (CHUNKED + LENGTH + CHUNKED, b"0\r\n\r\n{call}"),
            (b"Transfer-Encoding : chunked\r\n" + LENGTH, b"0\r\n\r\n{call}"),
            (b" Transfer-Encoding: chunked\r\n" + LENGTH, b"0\r\n\r\n{call}"),
            (b"Transfer-Encoding:\r\n chunked\r\n" + LENGTH, b"0\r\n\r\n{call}"),
            (b"X: y\r\n\tTransfer-Encoding: chunked\r\n", b"0\r\n\r\n{call}"),
            (b"X: y\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n{call}"),
            (b"X: y\rTransfer-Encoding: chunked\r\n", b"0\r\n\r\n{call}"),
            (b"Transfer-Encoding: \x0bchunked\r\n" + LENGTH, b"0\r\n\r\n{call}"),
            (b"Transfer-Encoding: chunked\x00\r\n" + LENGTH, b"0\r\n\r\n{call}"),
            (b"Transfer-Encoding\x00: chunked\r\n" + LENGTH, b"0\r\n\r\n{call}"),
            (b"Transfer_Encoding\xff: chunked\r\n" + LENGTH, b"0\r\n\r\n{call}"),
            (b"Transfer-Encoding=chunked\r\n" + LENGTH, b"0\r\n\r\n{call}"),
            (b"Content-Length: 40\r\nContent-Length: 0\r\n", b"{ping}{call}"),
            (b"Content-Length: 0\r\nContent-Length: 40\r\n", b"{ping}{call}"),
            (b"Content-Length: 0, 40\r\n", b"{ping}{call}"),
            (b"Content-Length: 0 40\r\n", b"{ping}{call}"),
            (b"Content-Length: 40;\r\n", b"{ping}{call}"),
            (b"Content-Length: \xc2\xb240\r\n", b"{ping}{call}"),
            (b"Content-Length: 4\x000\r\n", b"{ping}{call}"),
            (b"Content-Length: -40\r\n", b"{ping}{call}"),
            (b"Content-Length: 1e1\r\n", b"{ping}{call}"),
            (b"Content-Length: 0b101000\r\n", b"{ping}{call}"),
        )
    ),
    *(
        Raw(
            "codings", b"{head}Transfer-Encoding: " + coding + b"\r\n\r\n" + body, [501]
        )
        for body in (b"0\r\n\r\n{call}",)
        for coding in (
            *(b"identity", b"gzip", b"chunked, identity", b"identity, chunked"),
            *(
                b"gzip, chunked",
                b"chunked, gzip",
                b"chunked;q=0.5",
                b"x",
                b"chunke\xc4\x8f",
            ),
            *(b"'chunked'", b'"chunked"', b"chunked,", b",chunked", b"cow, chunked"),
        )
    ),
    *(
        Raw("chunks", b"{head}" + CHUNKED + b"\r\n" + chunks, [400])
        for chunks in (
            b"28\r\n{ping}\n0\r\n\r\n{call}",
            b"28\r\n{ping}\r\n0\n\n{call}",
            b"28\n\r\n{ping}\r\n0\r\n\r\n{call}",
            b'28;a="\r\n"\r\n{ping}\r\n0\r\n\r\n{call}'[:16] + b"\n{ping}\r\n0\r\n\r\n",
            b"28;\x00\r\n{ping}\r\n0\r\n\r\n{call}",
            b"28;\n\r\n{ping}\r\n0\r\n\r\n{call}",
            b"28;\r \r\n{ping}\r\n0\r\n\r\n{call}",
            b"28 28\r\n{ping}\r\n0\r\n\r\n{call}",
            b"0028h\r\n{ping}\r\n0\r\n\r\n{call}",
            b"000000028\r\n{ping}\r\n0\r\n\r\n{call}",
            b"\xef\xbc\x92\xef\xbc\x98\r\n{ping}\r\n0\r\n\r\n{call}",
            b"28\r\n{ping}0\r\n\r\n{call}",
            b"28\r\n{ping}\r\n\r\n0\r\n\r\n{call}",
            b"0\r\nContent-Length: 40\n\r\n{call}",
            b"0\r\n\n{call}",
        )
    ),
    *(
        Raw("request lines", line + b"\r\nHost: localhost\r\n\r\n", [status])
        for line, status in (
            (b"PRI * HTTP/2.0", 505),
            (b"GET /mcp/v1/health HTTP/1.2", 505),
            (b"GET /mcp/v1/health HTTP/3.0", 505),
            (b"GET /mcp/v1/health", 400),
            (b"GET /mcp/v1/health HTTP/1", 400),
            (b"GET /mcp/v1/health HTTP/1.1 ", 400),
            (b" GET /mcp/v1/health HTTP/1.1", 400),
            (b"GET\x0b/mcp/v1/health\x0bHTTP/1.1", 400),
            (b"GET /mcp/v1/health HTTP/1.1\x00", 400),
            (b"GET /mcp/v1/h\xc3\xa4 HTTP/1.1", 400),
            (b"GET /mcp/v1/health\t HTTP/1.1", 400),
            (b"G\x00T /mcp/v1/health HTTP/1.1", 400),
            (b"GET /mcp/v1/health HTTP/1.1\r\n\r\n", 400),
            (b"CONNECT localhost:22 HTTP/1.1", 404),
            (b"GET http://169.254.169.254/latest HTTP/1.1", 404),
            (b"GET http://localhost/mcp/v1/health HTTP/1.1", 404),
            (b"GET //mcp/v1/health HTTP/1.1", 404),
            (b"GET /mcp/v1/../v1/health HTTP/1.1", 404),
            (b"GET /mcp/v1/%2e%2e/v1/health HTTP/1.1", 404),
            (b"GET /mcp%2fv1%2fhealth HTTP/1.1", 404),
            (b"GET /mcp/v1/health/ HTTP/1.1", 404),
            (b"GET /mcp/v1/health; HTTP/1.1", 404),
            (b"GET /mcp/v1/health#x HTTP/1.1", 404),
            (b"GET /web/database/manager HTTP/1.1", 404),
            (b"OPTIONS * HTTP/1.1", 404),
            (b"GET * HTTP/1.1", 404),
            (b"GET mcp/v1/health HTTP/1.1", 404),
        )
    ),
    *(
        Raw("hosts", b"POST /mcp/v1 HTTP/1.1\r\n" + fields + b"\r\n{ping}", [status])
        for fields, status in (
            (LENGTH, 400),
            (b"Host: localhost\r\nHost: localhost\r\n" + LENGTH, 400),
            (b"Host: evil.example\r\nX-Forwarded-Host: localhost\r\n" + LENGTH, 403),
            (b"Host:\r\n" + LENGTH, 403),
            (b"Host: evil.example\r\nX-Host: localhost\r\n" + LENGTH, 403),
        )
    ),
    *(
        # what asks for another way to be read is read as HTTP/1.1 all the same
        Raw("upgrades", b"{head}" + fields + LENGTH + b"\r\n{ping}", [200])
        for fields in (
            b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
            b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
            b"X-HTTP-Method-Override: DELETE\r\n",
            b"X-Original-URL: /web\r\nX-Rewrite-URL: /web\r\n",
            b"TE: trailers, chunked\r\n",
            b"Trailer: Content-Length\r\n",
            b"Connection: Content-Length, Authorization, Host\r\n",
            b"Range: bytes=0-0,0-0,0-0,0-0\r\n",
            b"Proxy: http://169.254.169.254/\r\n",
        )
    ),
    # a pipeline is answered one by one, and ends with what cannot be read
    Raw(
        "pipelines",
        b"{head}" + LENGTH + b"\r\n{ping}\r\n\r\n{head}" + LENGTH + b"\r\n{ping}",
        [200, 200],
    ),
    Raw(
        "pipelines", b"{head}" + LENGTH + b"\r\n{ping}garbage\r\n\r\n{call}", [200, 400]
    ),
    Raw(
        "pipelines",
        b"{head}" + LENGTH + b"Connection: close\r\n\r\n{ping}{call}",
        [200],
    ),
    Raw("chunks", b"{head}" + CHUNKED + b"\r\nffffffff\r\n{ping}", [413]),
    Raw("chunks", b"{head}" + CHUNKED + b"\r\n7fffffff\r\n{ping}", [413]),
    Raw("pipelines", b"{head}Content-Length: 9\r\n\r\n{ping}{call}", [400, 400]),
]
"""Beside those of ``dev/tests/test_http1.py``."""


class Body(NamedTuple):
    """A body for both doors.

    :param code: of the JSON-RPC error that answers it
    :param status: of HTTP
    :param headers: beside the usual ones
    """

    kind: str
    sent: bytes
    code: int = -32700
    status: int = 400
    headers: dict[str, str] = {}


def _call(**more) -> str:
    arguments = {"query": "SELECT 1"}
    params = {"name": "query_database", "arguments": arguments}
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return json.dumps({**request, **more})


CALL = _call()

BODIES = [
    *(
        Body("encodings", sent)
        for sent in (
            b"\xef\xbb\xbf" + CALL.encode(),
            *(CALL.encode(name) for name in ("utf-16", "utf-16-le", "utf-16-be")),
            *(CALL.encode(name) for name in ("utf-32", "utf-32-le", "utf-32-be")),
            CALL.encode("utf-7").replace(b"{", b"+AHs-"),
            CALL.encode("cp037"),
            CALL.replace("SELECT", "SEL\xc9CT").encode("latin-1"),
            CALL.encode().replace(b"SELECT 1", b"\xed\xa0\x80"),
            CALL.encode().replace(b"SELECT 1", b"\xed\xa0\xbd\xed\xb8\x80"),
            CALL.encode().replace(b"SELECT 1", b"\xc0\xaf"),
            CALL.encode().replace(b"SELECT 1", b"\xe0\x80\xaf"),
            CALL.encode().replace(b"SELECT 1", b"\xf4\x90\x80\x80"),
            CALL.encode().replace(b"SELECT 1", b"\xf8\x88\x80\x80\x80"),
            CALL.encode().replace(b"SELECT 1", b"\xff"),
            CALL.encode().replace(b"SELECT 1", b"\xe2\x82"),
            b"\xff\xfe" + CALL.encode(),
        )
    ),
    *(
        Body("names that are twice", sent.encode())
        for sent in (
            CALL.replace('"id"', '"method": "ping", "id"'),
            CALL[:-1] + ', "method": "ping"}',
            CALL[:-1] + ', "params": {}}',
            CALL[:-1] + ', "id": 1}',
            CALL[:-1] + ', "\\u006dethod": "ping"}',
            CALL[:-1] + ', "\\u0069\\u0064": 1}',
            CALL.replace('"name"', '"name": "list_modules", "name"'),
            CALL.replace('"query"', '"query": "SELECT 2", "query"'),
            '[{"a": 1, "a": 1}]',
            '{"": 1, "": 2}',
        )
    ),
    *(
        Body("numbers", CALL[:-1].encode() + b', "x": ' + number + b"}")
        for number in (
            *(b"NaN", b"-NaN", b"Infinity", b"-Infinity", b"nan", b"1e999", b"-1e999"),
            *(b"1.0e+99999999", b"9" * 5000, b"-" + b"9" * 5000, b"+1", b"01", b"0x1"),
            *(b"1.", b".1", b"1e", b"--1", b"1_000", b"-", b"0b1", b"1,0", b"\xd9\xa1"),
        )
    ),
    *(
        Body("depth", sent)
        for sent in (
            b"[" * 101 + b"]" * 101,
            b"[" * 990 + b"]" * 990,
            b"[" * 5000 + b"]" * 5000,
            b"[" * 1000000,
            b'{"a":' * 200 + b"1" + b"}" * 200,
            b'{"a":' * 100000,
            b'[{"a":' * 60 + b"1" + b"}]" * 60,
            CALL[:-1].encode() + b', "x": ' + b"[" * 500 + b"]" * 500 + b"}",
            CALL.encode().replace(b'"SELECT 1"', b"[" * 400 + b"]" * 400),
            b'{"x": "' + b"[" * 200 + b'", "y": ' + b"[" * 101 + b"]" * 101 + b"}",
        )
    ),
    *(
        Body("grammar", sent)
        for sent in (
            *(b"", b" ", b"\n", b"\0", b"\x0c{}", b"\xa0{}", b"{", b"}", b"]", b'"'),
            *(b"{}{}", b"{},", b"[1,]", b'{"a":1,}', b"{a:1}", b"{'a':1}", b"[,1]"),
            *(
                b"// x\n{}",
                b"{}/**/",
                b"#\n{}",
                b"<a/>",
                b"---\na: 1",
                b"a=1",
                b"null,",
            ),
            *(
                b'{"a" 1}',
                b'{"a":}',
                b'{"a"}',
                b"{:1}",
                b"{1:1}",
                b"tru",
                b"True",
                b"None",
            ),
            *(b'"\t"', b'"\n"', b'"\x00"', b'"\x1f"', b'"\\x41"', b'"\\u12"', b'"\\'),
            *(b'"\\ud800"', b'"\\udfff\\ud800"', b'{"\\ud800": 1}', b'"\\uD83D"'),
            *(CALL.encode() + b"\0", CALL.encode() + b"x", CALL.encode() * 2),
            *(b")]}'\n{}", b"while(1);{}", b"data: {}\n\n", b"\x1e{}\n"),
        )
    ),
    *(
        Body("codings", sent, headers={"Content-Encoding": name})
        for name, sent in (
            ("gzip", gzip.compress(CALL.encode())),
            ("gzip", gzip.compress(b" " * 100_000_000, 9)),
            ("deflate", zlib.compress(CALL.encode())),
            ("br", b"\x8b\x02\x80{}\x03"),
            ("gzip, gzip", gzip.compress(gzip.compress(CALL.encode()))),
        )
    ),
    *(
        Body("envelopes", json.dumps(sent).encode(), -32600)
        for sent in (
            *({}, 0, 1.5, "", "x", True, False, None),
            *({"jsonrpc": "2.0"}, {"jsonrpc": 2.0, "id": 1, "method": "ping"}),
            *(json.loads(_call(id=value)) for value in (None, True, 1.5, [], {}, [1])),
            *(json.loads(_call(method=value)) for value in (None, 1, [], {}, True)),
            *(json.loads(_call(params=value)) for value in (None, 1, [], "x", True)),
            *(json.loads(_call(jsonrpc=value)) for value in (None, 2, "2", "2.0 ", [])),
            {"__proto__": {"jsonrpc": "2.0", "id": 1, "method": "ping"}},
            {"JSONRPC": "2.0", "ID": 1, "METHOD": "ping"},
        )
    ),
    *(
        Body("media types", CALL.encode(), -32600, 415, {"Content-Type": kind})
        for kind in (
            *("text/plain", "text/plain; application/json", "application/jsonp"),
            *("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
            *("application/json/x", "application/json, text/plain", "*/*", "json"),
            *("application/xml", "application/json-rpc", "application/octet-stream"),
        )
    ),
]

HOSTS = [
    *(
        "evil.example",
        "localhost.evil.example",
        "evil.example.localhost.",
        "localhost.",
    ),
    *("127.0.0.1.evil.example", "127.0.0.1.nip.io", "0x7f000001.evil.example"),
    *("evil@localhost", "localhost@evil.example", "evil:x@127.0.0.1", "@localhost"),
    *("localhost/evil.example", "localhost?evil", "localhost#evil", "localhost\\evil"),
    *("localhost;evil", "localhost,evil.example", "localhost evil.example"),
    *("loc alhost", "localhost:8069:80", "localhost:80/", ":8069", "2130706433"),
    *("0177.0.0.1", "0x7f.0.0.1", "127.1", "127.0.0.1.", "①②⑦.0.0.1", "local%68ost"),
    *("loc\u0430lhost", "localhos\u0442", "\uff4cocalhost", "http://localhost"),
    *("//localhost", "*", "null", ".", "..", "-", "_", "%00", "%0d%0a"),
]
"""Names that are not this server's, however much they look like it."""

MALFORMED_HOSTS = [
    *("localhost:x", "localhost:-1", "[::1].evil.example", "[::1", "::1]", "[::1]evil"),
    *("[localhost]", "[]", "[::g]", "xn--localhost-"),
]
"""The same, which Odoo's own port cannot read."""

ORIGINS = [
    *("http://evil.example", "https://evil.example", "null", "", " ", "file://", "*"),
    *("http://localhost.evil.example", "http://127.0.0.1.evil.example"),
    *("http://evil@localhost", "http://localhost@evil.example", "http://localhost:x"),
    *("http://localhost/evil.example", "http://localhost?x", "http://localhost#x"),
    *("http://localhost\\evil", "http://localhost;x", "http://localhost, http://x"),
    *("http://localhost http://evil.example", "http://localhost,http://evil.example"),
    *("http:/localhost", "http:localhost", "http:///localhost", "//localhost"),
    *("localhost", "javascript://localhost", "data://localhost", "ws://localhost"),
    *("chrome-extension://localhost", "moz-extension://localhost", "ftp://localhost"),
    *("http://[::1", "http://::1]", "http://[localhost]", "http://2130706433"),
    *("http://127.1", "http://0177.0.0.1", "http://0x7f.1", "http://localhost."),
    *(
        "http://loc%61lhost",
        "http://ｌocalhost",
        "http://loc\u0430lhost",
        "http://[::ffff]x",
    ),
    *(
        "http://localhost:80:80",
        "http://0.0.0.0",
        "http://10.0.0.1",
    ),
    *("http://169.254.169.254", "HTTP://EVIL.EXAMPLE", "http+unix://localhost"),
]
"""Pages that may not use a server on ``localhost``."""
