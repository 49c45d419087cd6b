"""Node's clients as processes: the Inspector, mcp-remote and Claude Code."""

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dev.node_env import NodeEnv
from dev.tests import real_clients
from dev.tests.real_clients import Door

SECONDS = 60

Done = subprocess.CompletedProcess[str]


def inspect(env: NodeEnv, door: Door, key: str, era: str, *options: str) -> Done:
    """One request of the Inspector from the command line."""
    command = [
        *(env.bin("mcp-inspector"), "--cli", door.url, "--transport", "http"),
        *("--header", f"Authorization: Bearer {key}"),
        *("--protocol-era", era, "--format", "json", "--quiet", *options),
    ]
    return real_clients.run(command, env.variables())


class Bridge:
    """mcp-remote, as the README has it started; a context manager that ends it."""

    def __init__(self, env: NodeEnv, door: Door, key: str, folder: Path) -> None:
        block = real_clients.snippet("Claude Desktop", door, key)
        entry = json.loads(block)["mcpServers"]["odoo"]
        program, *arguments = entry["args"]
        own = {**entry["env"], "MCP_REMOTE_CONFIG_DIR": str(folder)}
        self.process = subprocess.Popen(
            [str(env.bin(program)), *arguments],
            env=env.variables(own),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.watch = threading.Timer(SECONDS, self.process.kill)
        self.heard: list[dict[str, Any]] = []

    def __enter__(self) -> "Bridge":
        self.watch.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.watch.cancel()

    def send(self, method: str, **message: Any) -> None:
        """Send a message."""
        line = json.dumps({"jsonrpc": "2.0", "method": method, **message})
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def messages(self) -> Iterator[dict[str, Any]]:
        """What comes, to the end of the process."""
        for line in self.process.stdout:
            self.heard.append(json.loads(line))
            yield self.heard[-1]

    def request(self, method: str, **params: Any) -> dict[str, Any]:
        """Answer to a request; what comes before it stays in ``heard``."""
        self.send(method, id=method, params=params)
        answers = (found for found in self.messages() if found.get("id") == method)
        return next(answers)

    def call(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Result of a tool, which is asked how it goes."""
        meta = {"progressToken": name}
        answer = self.request("tools/call", name=name, arguments=arguments, _meta=meta)
        return answer["result"]

    def has_told(self, method: str) -> bool:
        """Whether this notification has come."""
        return any(found.get("method") == method for found in self.heard)

    def wait(self, method: str) -> None:
        """Wait for a notification."""
        messages = self.messages()
        while not self.has_told(method):
            next(messages)


class Claude:
    """Claude Code of a user who never had it, in an empty project.

    Without a login: it is asked nothing that goes to a model, and told to call nobody.
    """

    def __init__(self, env: NodeEnv, folder: Path) -> None:
        self.env = env
        self.home = folder / "home"
        self.project = folder / "project"
        self.home.mkdir()
        self.project.mkdir()

    def run(self, *arguments: str) -> Done:
        """``claude ARGUMENTS`` in the project."""
        own = {
            "HOME": str(self.home),
            "CLAUDE_CONFIG_DIR": str(self.home),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }
        package = self.env.package("@anthropic-ai/claude-code-linux-x64")
        command = [package / "claude", *arguments]
        return real_clients.run(command, self.env.variables(own), cwd=self.project)

    def health(self, name: str) -> str:
        """What its health check says of a server that it knows."""
        done = self.run("mcp", "list")
        lines = [line for line in done.stdout.splitlines() if line.startswith(name)]
        assert len(lines) == 1, done.stdout + done.stderr
        return lines[0]
