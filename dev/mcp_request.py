"""One request to a running server, as a client of the newest revision sends it."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

REVISION = "2026-07-28"
META = "io.modelcontextprotocol"
SECONDS = 60


def ask(
    endpoint: str,
    key: str,
    method: str,
    params: Mapping[str, Any] | None = None,
    capabilities: Mapping[str, Any] | None = None,
    client: str = "harness",
) -> dict[str, Any]:
    """Result of a request that must succeed, answered with JSON.

    :param capabilities: what the client declares
    :param client: how it calls itself
    """
    meta = {
        f"{META}/clientInfo": {"name": client, "version": "1.0"},
        f"{META}/protocolVersion": REVISION,
        f"{META}/clientCapabilities": dict(capabilities or {}),
    }
    params = {**(params or {}), "_meta": meta}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "MCP-Protocol-Version": REVISION,
        "Mcp-Method": method,
    }
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    request = urllib.request.Request(endpoint, json.dumps(message).encode(), headers)
    # A proxy of the environment is never asked for a loopback address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=SECONDS) as answer:
        result: dict[str, Any] = json.load(answer)["result"]
    return result
