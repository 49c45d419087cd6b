"""A client of before 2026-07-28 is asked over the stream of its call."""

from collections.abc import Iterator
from typing import Any

import pytest

from dev import paths
from dev.odoo_server import OdooServer
from dev.tests.backend import Backend
from dev.tests.client import LEGACY, McpClient, unmarked
from dev.tests.waiting import at_once, eventually

FORM = (
    '{"type": "object", "properties": {"name": {"type": "string"}}, '
    '"required": ["name"]}'
)
ASKS = f"answer = mcp.elicit('Your name?', {FORM})\naction = answer"
ALL = {"elicitation": {}, "sampling": {}, "roots": {"listChanged": True}}


@pytest.fixture(scope="module", autouse=True)
def tools(backend: Backend) -> None:
    """Tools that ask."""
    backend.tool("ask_name", ASKS)
    backend.tool("ask_model", "action = mcp.sample('Why?', 9)['content']['text']")
    backend.tool("ask_roots", "action = mcp.roots()")
    backend.tool(
        "ask_all",
        f"found = mcp.ask({{'a': mcp.elicitation('A?', {FORM}), "
        "'b': mcp.listing_roots()})\n"
        "action = [found['a']['content']['name'], found['b']['roots'][0]['uri']]",
    )
    backend.tool("ask_first", "action = 'ran'", needs_confirmation=True)


class Asked:
    """A legacy client that has said in ``initialize`` what it can be asked."""

    def __init__(self, url: str, key: str, capabilities: dict = ALL) -> None:
        self.client = McpClient(url, key, revision=LEGACY)
        answer = self.client.call(
            "initialize",
            {
                "protocolVersion": LEGACY,
                "capabilities": capabilities,
                "clientInfo": {"name": "asked", "version": "1"},
            },
        )
        self.session = answer.response.headers.get("Mcp-Session-Id")
        self.headers = {"Mcp-Session-Id": self.session}

    def call(self, name: str, **options: Any):
        """The stream of a call."""
        headers = {**self.headers, **options.pop("headers", {})}
        params = {"name": name, "arguments": {}}
        return self.client.stream("tools/call", params, headers=headers, **options)

    def answer(self, request: dict, url: str = "", key: str = "", **answer: Any) -> int:
        """HTTP status of an answer, at this server or another, with this key."""
        own = self.client
        other = McpClient(url or own.url[: -len("/mcp/v1")], key or own.key)
        message = {"jsonrpc": "2.0", "id": request["id"], **answer}
        with other:
            sent = other.headers("", {}, LEGACY) | self.headers
            return other.post(message, headers=sent).status


def accepted(**content: object) -> dict:
    return {"result": {"action": "accept", "content": content}}


@pytest.fixture
def asked(server: OdooServer, key: str) -> Asked:
    """A client of the threaded server."""
    return Asked(server.url, key)


@pytest.fixture
def at_door(either_door: str, key: str) -> Asked:
    """A client of each door."""
    return Asked(either_door, key)


def text(message: dict) -> str:
    return message["result"]["content"][0]["text"]


def test_question_comes_over_the_stream_and_its_answer_by_another_request(
    at_door: Asked,
) -> None:
    with at_door.call("ask_name") as stream:
        messages = stream.messages()
        request = next(messages)
        assert request["method"] == "elicitation/create"
        assert request["params"]["message"] == "Your name?"
        assert request["params"]["requestedSchema"]["required"] == ["name"]
        assert at_door.answer(request, **accepted(name="Ada")) == 202
        result = next(messages)["result"]
    wanted = {"action": "accept", "content": {"name": "Ada"}}
    assert unmarked(result["structuredContent"]) == wanted


def test_answer_may_arrive_at_any_server_of_the_database(
    asked: Asked, second_server: OdooServer
) -> None:
    with asked.call("ask_name") as stream:
        messages = stream.messages()
        request = next(messages)
        url = second_server.url
        assert asked.answer(request, url=url, **accepted(name="Bo")) == 202
        result = next(messages)["result"]
    assert result["structuredContent"]["content"] == {"name": "Bo"}


def test_model_and_roots_are_asked_too(asked: Asked) -> None:
    with asked.call("ask_model") as stream:
        messages = stream.messages()
        request = next(messages)
        assert request["method"] == "sampling/createMessage"
        assert request["params"]["maxTokens"] == 9
        content = {"type": "text", "text": "because"}
        said = {"role": "assistant", "content": content, "model": "m"}
        asked.answer(request, result=said)
        assert text(next(messages)) == "because"
    with asked.call("ask_roots") as stream:
        messages = stream.messages()
        request = next(messages)
        assert request["method"] == "roots/list"
        roots = [{"uri": "file:///work", "name": "work"}]
        asked.answer(request, result={"roots": roots})
        result = next(messages)["result"]
        assert result["structuredContent"]["result"] == roots


def test_several_questions_are_asked_at_once_and_answered_in_any_order(
    asked: Asked,
) -> None:
    with asked.call("ask_all") as stream:
        messages = stream.messages()
        form, roots = next(messages), next(messages)
        asked.answer(roots, result={"roots": [{"uri": "file:///a"}]})
        asked.answer(form, **accepted(name="Ada"))
        found = next(messages)["result"]["structuredContent"]["result"]
    assert found == ["Ada", "file:///a"]


def test_questions_of_calls_side_by_side_are_not_mixed_up(asked: Asked) -> None:
    def work(name: str) -> str:
        with asked.call("ask_name") as stream:
            messages = stream.messages()
            asked.answer(next(messages), **accepted(name=name))
            return next(messages)["result"]["structuredContent"]["content"]["name"]

    names = ["a", "b", "c"]
    assert at_once([lambda name=name: work(name) for name in names]) == names


def test_what_the_client_says_instead_of_an_answer_is_told(asked: Asked) -> None:
    for answer, told in (
        ({"error": {"code": -1, "message": "the person is away"}}, "is away"),
        ({"error": "no object"}, "no object"),
        ({"result": {"action": "maybe"}}, "not as asked"),
        ({"result": {"action": "accept", "content": {"name": 7}}}, "not as asked"),
    ):
        with asked.call("ask_name") as stream:
            messages = stream.messages()
            asked.answer(next(messages), **answer)
            result = next(messages)["result"]
        assert result["isError"] is True
        assert told in result["content"][0]["text"]


def test_nobody_else_can_answer_and_nobody_twice(
    asked: Asked, backend: Backend
) -> None:
    backend.user("answers_others", "odoo_dev_mcp.odoo_dev_mcp_group_user")
    with asked.call("ask_name") as stream:
        messages = stream.messages()
        request = next(messages)
        for key in (backend.key("answers_others"), backend.key("admin")):
            # taken, so that nobody learns what is asked of whom
            assert asked.answer(request, key=key, **accepted(name="Eve")) == 202
        asked.answer(request, **accepted(name="Ada"))
        asked.answer(request, **accepted(name="late"))
        result = next(messages)["result"]
    assert result["structuredContent"]["content"] == {"name": "Ada"}


@pytest.mark.parametrize(
    "capabilities", [{}, {"sampling": {}}, {"elicitation": {"url": {}}}]
)
def test_client_is_not_asked_what_it_has_not_declared(
    server: OdooServer, key: str, capabilities: dict
) -> None:
    own = Asked(server.url, key, capabilities)
    with own.call("ask_name") as answer:
        result = answer.response.json()["result"]
    assert result["isError"] is True
    assert "elicitation" in result["content"][0]["text"]


def test_client_that_has_declared_nothing_gets_no_session(
    server: OdooServer, key: str, asked: Asked
) -> None:
    assert Asked(server.url, key, {}).session is None
    assert Asked(server.url, key).session != asked.session


def test_client_that_takes_no_stream_is_not_asked(asked: Asked) -> None:
    with asked.call("ask_name", headers={"Accept": "application/json"}) as answer:
        assert "elicitation" in text(answer.response.json())


def test_client_that_hangs_up_is_not_waited_for(
    asked: Asked, backend: Backend, key: str
) -> None:
    with asked.call("ask_name") as stream:
        next(stream.messages())
    eventually(
        lambda: backend.entries(key)[-1]["status"] == "cancelled", "it is cancelled"
    )
    assert backend.rows("SELECT 1 FROM mcp_question") == []


def test_cancelled_call_takes_its_question_back(asked: Asked) -> None:
    with asked.call("ask_name") as stream:
        messages = stream.messages()
        request = next(messages)
        call_id = next(asked.client._ids) - 1
        params = {"requestId": call_id}
        note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}
        sent = asked.client.headers("", {}, LEGACY) | asked.headers
        asked.client.post(note, headers=sent)
        notice = next(messages)
    assert notice["method"] == "notifications/cancelled"
    assert notice["params"]["requestId"] == request["id"]


def test_nothing_is_left_of_a_question(asked: Asked, backend: Backend) -> None:
    with asked.call("ask_name") as stream:
        messages = stream.messages()
        asked.answer(next(messages), **accepted(name="Ada"))
        list(messages)
    assert backend.rows("SELECT 1 FROM mcp_question") == []


def test_code_of_the_readme_runs(backend: Backend, asked: Asked) -> None:
    blocks = (paths.REPOSITORY / "README.md").read_text().split("```python\n")[1:]
    [code] = [block.split("```")[0] for block in blocks if "mcp.elicit" in block]
    backend.tool("archive_contacts", code)
    name = "nobody changes me"
    contact = backend.execute("res.partner", "create", {"name": name})
    with backend.cursor() as cursor:
        query = "UPDATE res_partner SET write_date = '1999-01-01' WHERE id = %s"
        cursor.execute(query, [contact])
    with asked.call("archive_contacts", meta={"progressToken": 1}) as stream:
        messages = stream.messages()
        asked.answer(next(messages), **accepted(year=2000))
        progress, result = messages
    assert progress["params"]["message"] == name
    assert unmarked(result["result"]["structuredContent"]) == {"ids": [contact]}
    assert text(result) == "1 contacts"


@pytest.fixture(params=["decline", "accept"])
def action(request: pytest.FixtureRequest) -> Iterator[str]:
    """What the person does."""
    return request.param


def test_tool_that_needs_confirmation_runs_if_the_person_says_yes(
    at_door: Asked, action: str
) -> None:
    with at_door.call("ask_first") as stream:
        messages = stream.messages()
        request = next(messages)
        assert "ask_first" in request["params"]["message"]
        at_door.answer(request, result={"action": action})
        result = next(messages)["result"]
    assert ("isError" in result) is (action == "decline")
    assert (text({"result": result}) == "ran") is (action == "accept")
