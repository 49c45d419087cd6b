"""What holds of every input: of the protocol's parser, the path check, the audit line.

The examples are found anew in the same order each time (``derandomize``).
"""

import datetime
import io
import json
import os
import re
import string
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from attacks.http import BODIES, RAW
from attacks.paths import INSIDE
from attacks.text import TEXTS
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from dev.stack import Stack
from dev.tests import addon_code

SECRET = "the secret outside"
LINE = re.compile(
    r'\[[0-9TZ:-]{20}\] DB=([A-Za-z0-9_.-]+|"(?:[^"\\]|\\.)*") USER=\d+ '
    r'TOOL=([A-Za-z0-9_.-]+|"(?:[^"\\]|\\.)*") (CMD|ARGS)=("(?:[^"\\]|\\.)*")'
    r"(?: ROWS=\d+)?(?: EXIT_CODE=-?\d+)?(?: STATUS=\w+)? DURATION=\d+ms\n"
)

thorough = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

texts = st.text() | st.sampled_from(TEXTS)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=20,
).filter(lambda value: "Infinity" not in json.dumps(value))
messages = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | json_values, "method": texts},
    optional={
        "id": json_values,
        "params": st.dictionaries(
            st.sampled_from(["name", "_meta", "cursor"]), json_values
        )
        | json_values,
    },
)
bodies = (
    st.binary()
    | st.sampled_from([body.sent for body in BODIES if len(body.sent) < 10_000])
    | (json_values | messages).map(lambda value: json.dumps(value).encode())
)
revisions = st.sampled_from(
    ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28", "x", ""]
)


@pytest.fixture(scope="module")
def addon(stack: Stack) -> object:
    """Gives a module of the addon by its name."""
    return lambda name: addon_code.module(stack.source, name)


@pytest.fixture(scope="module")
def rpc(addon: object) -> ModuleType:
    return addon("controllers.rpc")


def outcome(rpc: ModuleType, how: Callable, *given: object) -> tuple[object, object]:
    """What comes of it: a value, or an error of the protocol; all else fails."""
    try:
        return how(*given), None
    except rpc.RpcError as fault:
        return None, fault


@thorough
@given(body=bodies)
@example(body=b"\xed\xa0\x80")
def test_body_is_a_value_or_a_parse_error(body: bytes, rpc: ModuleType) -> None:
    value, fault = outcome(rpc, rpc.parse, body)
    if fault:
        assert (fault.code, fault.status) == (-32700, 400)
        json.dumps(rpc.error(None, fault), allow_nan=False)
        return
    # all who read it read the same: no name twice, no number beyond, UTF-8
    assert json.loads(body.decode("utf-8", "strict")) == value
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@thorough
@given(value=json_values)
def test_value_comes_through_as_it_was(value: object, rpc: ModuleType) -> None:
    for ascii_only in (True, False):
        body = json.dumps(value, ensure_ascii=ascii_only)
        if not re.search("[\ud800-\udfff]", body):
            assert rpc.parse(body.encode()) == value


@thorough
@given(message=messages | json_values, revision=revisions, name=texts)
def test_message_is_a_request_of_its_revision_or_an_error_of_the_protocol(
    message: object, revision: str, name: str, addon: object, rpc: ModuleType
) -> None:
    revisions, validation = (
        addon("controllers.revision"),
        addon("controllers.validation"),
    )
    transport = addon("controllers.transport")
    printable = re.sub(r"[\r\n\x00]", "", name).encode().decode("latin-1")
    headers = Headers({"MCP-Protocol-Version": revision, "Mcp-Name": printable})

    def examine() -> None:
        rpc.check_envelope(message)
        if rpc.is_request(message):
            headers["Mcp-Method"] = re.sub(r"[\r\n]", "", message["method"])
            envelope = revisions.open_envelope(headers, message)
            validation.validate(message, envelope.revision, stays=True)

    _none, fault = outcome(rpc, examine)
    if fault:
        assert -32768 <= fault.code <= -32000
        answer = transport.respond(rpc.id_of(message), fault, modern=True)
        assert 200 <= answer.status < 600
        told = json.loads(answer.body())
        assert told["error"]["code"] == fault.code
        assert told["id"] == rpc.id_of(message)


@pytest.fixture(scope="module")
def http1(addon: object) -> ModuleType:
    return addon("controllers.http1")


heads = st.sampled_from([raw.sent for raw in RAW if len(raw.sent) < 10_000])
tokens = st.text(string.ascii_letters + string.digits + "!#$%&'*+.^_`|~-", min_size=1)
values = st.text(
    st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["Cc"])
)


@thorough
@given(sent=st.binary() | heads | st.lists(heads).map(b"\r\n".join))
def test_bytes_are_a_request_or_an_error(sent: bytes, http1: ModuleType) -> None:
    stream = io.BytesIO(sent)
    head, fault = outcome(http1, http1.read_head, stream)
    body = b""
    if head:
        body, fault = outcome(http1, http1.read_body, head, stream)
    if fault:
        assert fault.status in (400, 413, 431, 501, 505)
    elif head:
        assert sent.lstrip(b"\r\n").startswith(head.method.encode())
        assert body in sent or b"chunked" in sent.lower()
    else:
        assert sent.strip(b"\r\n") == b""


@thorough
@given(
    method=tokens,
    target=st.text(string.printable[:94], min_size=1),
    fields=st.lists(st.tuples(tokens, values), max_size=20),
    body=st.binary(),
    sizes=st.lists(st.integers(1, 9)),
)
def test_request_that_is_written_is_read_as_it_was_whole_and_in_chunks(
    method: str,
    target: str,
    fields: list[tuple[str, str]],
    body: bytes,
    sizes: list[int],
    http1: ModuleType,
) -> None:
    own = ("host", "content-length", "transfer-encoding")
    fields = [(name, value) for name, value in fields if name.lower() not in own]
    chunks, rest = b"", body
    for size in (*sizes, len(body) or 1):
        part, rest = rest[:size], rest[size:]
        if part:
            chunks += b"%x\r\n%b\r\n" % (len(part), part)
    lines = [f"{method} {target} HTTP/1.1", "Host: x"]
    lines += [f"{name}: {value}" for name, value in fields]
    for field, sent in (
        (f"Content-Length: {len(body)}", body),
        ("Transfer-Encoding: chunked", chunks + b"0\r\n\r\n"),
    ):
        text = "\r\n".join([*lines, field, "", ""]).encode("latin-1")
        stream = io.BytesIO(text + sent + b"next")
        head = http1.read_head(stream)
        assert (head.method, head.target) == (method, target)
        found = [
            (name, value) for name, value in head.headers if name.lower() not in own
        ]
        assert found == fields
        assert http1.read_body(head, stream) == body
        assert stream.read() == b"next"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that may be reached, and all that leads out of it."""
    base = tmp_path_factory.mktemp("paths").resolve()
    names = {"{in}": str(base / "in"), "{out}": str(base / "out")}
    for name in ("in", "out", "in_evil"):
        (base / name).mkdir()
    for name in ("out", "in_evil"):
        (base / name / "secret").write_text(SECRET)
    (base / "in" / "file").write_text("inside")
    (base / "in" / "folder").mkdir()
    for name, target in INSIDE.items():
        for word, value in names.items():
            target = target.replace(word, value)
        (base / "in" / name).symlink_to(target)
    return base / "in"


parts = st.sampled_from(
    [
        *("..", ".", "", "/", "\0", "file", "folder", "secret", "in", "in_evil", "out"),
        *("etc", "passwd", "proc", "self", "root", "fd", "0", "dev", "sys", *INSIDE),
    ]
) | st.text(max_size=5)


@thorough
@given(
    beginning=st.sampled_from(["in", "", "/", "in/.."]),
    names=st.lists(parts, max_size=8),
)
def test_path_leads_into_the_folder_or_nowhere(
    beginning: str, names: list[str], tree: Path, addon: object
) -> None:
    files, exceptions = addon("models.file_access"), addon("models.exceptions")
    path = beginning.replace("in", str(tree)) + "/" + "/".join(names)
    try:
        path.encode()
        real = files.resolved(path, (str(tree),))
        assert files.within(real, str(tree))
        with files.folder_of(real) as (folder, name):
            descriptor = files.open_file(folder, name, os.O_RDONLY)
            try:
                assert os.readlink(f"/proc/self/fd/{descriptor}") == real
                assert os.read(descriptor, 100) != SECRET.encode()
            finally:
                os.close(descriptor)
    except (exceptions.ToolError, UnicodeEncodeError):
        pass


@thorough
@given(
    database=texts,
    tool=texts,
    arguments=st.dictionaries(texts, json_values) | texts.map(lambda c: {"command": c}),
    status=st.sampled_from(["success", "error", "refused", "lost", "cancelled"]),
    rows=st.none() | st.integers(0, 10**9),
    code=st.none() | st.integers(-255, 255).map(str),
)
def test_audit_line_is_one_line_that_says_what_was_sent(
    database: str,
    tool: str,
    arguments: dict,
    status: str,
    rows: int | None,
    code: str | None,
    addon: object,
) -> None:
    audit_file = addon("models.audit_file")
    row = {
        "create_date": datetime.datetime(2026, 2, 16, 10, 5, 30),
        "user_id": 2,
        "tool": tool,
        "arguments": json.dumps(arguments),
        "status": status,
        "row_count": rows,
        "exit_code": code,
        "duration_ms": 12,
    }
    line = audit_file.format_line(database, row)
    assert line.count("\n") == 1
    assert line[:-1].isprintable()
    assert line.isascii()
    found = LINE.fullmatch(line)
    assert found, line
    told = json.loads(found[4])
    if found[3] == "CMD":
        assert told == arguments["command"]
    else:
        assert json.loads(told) == arguments


@thorough
@given(
    sql=texts
    | st.lists(
        st.sampled_from([*"'\"$/*-;\\(){}E \n", "$a$", "--", "/*", "*/", "U&"])
    ).map("".join)
)
def test_sql_is_cut_whole_and_in_order(sql: str, addon: object) -> None:
    lexer, reader = addon("models.sql_lexer"), addon("models.sql_reader")
    end = 0
    for token in lexer.tokens(sql):
        assert token.start >= end
        assert sql[token.start : token.start + len(token.text)] == token.text
        end = token.start + len(token.text)
    for statement in lexer.statements(sql):
        assert statement in sql
    assert reader.explained(sql) in sql


@thorough
@given(
    url=texts
    | st.lists(
        st.sampled_from(
            [
                *"https://@:[]%\\?#. ",
                "localhost",
                "127.0.0.1",
                "https://",
                "http://",
                "a.example",
            ]
        )
    ).map("".join)
)
def test_url_of_a_registry_is_one_host_or_refused(url: str, addon: object) -> None:
    address = addon("models.phone_home_address")
    try:
        target = address.parse(url)
    except address.AddressError:
        return
    assert url.lower().startswith(f"http{'s' if target.tls else ''}://")
    assert set(target.host).isdisjoint("@/\\?# \t\r\n")
    assert target.tls or address.is_loopback_name(target.host)
