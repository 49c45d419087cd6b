"""How to reach a running Odoo: lines to paste for people, JSON for programs."""

import json
import os
from dataclasses import asdict, dataclass

from dev import paths

SERVER_NAME = "odoo"


@dataclass(frozen=True)
class Connection:
    """The facts of one ``make run``; ``pid`` is Odoo's."""

    url: str
    listener_url: str
    key: str
    database: str
    odoo_series: str
    pid: int

    def save(self) -> None:
        """Write the facts where other programs look, readable by this user alone."""
        path = paths.connection_file()
        path.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(path, flags, 0o600), "w") as handle:
            json.dump(asdict(self), handle, indent=2)

    def forget(self) -> None:
        """Remove the file, unless a later run has put its own there."""
        path = paths.connection_file()
        if path.exists() and json.loads(path.read_text())["pid"] == self.pid:
            path.unlink()

    def instructions(self, backend: str) -> str:
        """Lines to paste into the clients' configuration."""
        entry = {"url": self.url, "headers": {"Authorization": f"Bearer {self.key}"}}
        typed = {"type": "http", **entry}
        return "\n".join(
            (
                "",
                f"  Odoo {self.odoo_series}   {backend}   (admin / admin)",
                f"  MCP endpoint   {self.url}",
                f"  and, some seconds later, {self.listener_url}",
                f"  Developer key   {self.key}",
                "",
                "  Claude Code:",
                f"    {self._claude_command()}",
                "",
                "  Claude Code, shared with a project (.mcp.json):",
                f"    {_json('mcpServers', typed)}",
                "",
                "  Cursor (~/.cursor/mcp.json or .cursor/mcp.json):",
                f"    {_json('mcpServers', entry)}",
                "",
                "  VS Code (.vscode/mcp.json):",
                f"    {_json('servers', typed)}",
                "",
            )
        )

    def _claude_command(self) -> str:
        header = f"Authorization: Bearer {self.key}"
        return (
            f"claude mcp add --transport http {SERVER_NAME} {self.url} "
            f'--header "{header}"'
        )


def _json(section: str, entry: dict[str, object]) -> str:
    return json.dumps({section: {SERVER_NAME: entry}})
