"""Pages as a browser shows them: one run of headless Chromium, which leaves nothing."""

import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import command
from .exceptions import ToolError
from .live_call import LiveCall
from .page_requests import SESSION

DRIVER = str(Path(__file__).with_name("browser_driver.py"))

PROGRAMS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
"""What Odoo's own test runner looks for."""

HEIGHT = 900
KEEP = 4000


@dataclass(frozen=True)
class Shown:
    """What came of it.

    :param data: picture, PDF or HTML
    :param told: ``title``, ``url``, ``status``, ``console``, ``kept_back``, and
        ``width`` and ``height`` of a picture in CSS pixels
    """

    data: bytes
    told: dict


def program() -> str | None:
    """Return the path of a browser; None: there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def show(
    origin: str,
    path: str,
    sid: str,
    *,
    form: str,
    width: int,
    timeout: float,
    call: LiveCall,
    html: str | None = None,
    action: dict | None = None,
) -> Shown:
    """Show a page of this Odoo.

    :param sid: of the session as which it is opened
    :param form: ``png``, ``pdf`` or ``html``: of the page as it has become
    :param html: what is shown in place of it
    :param action: what the web client is to open there
    :raise ToolError: there is no browser, or it has failed
    :raise Cancelled: the call was stopped, and the browser with it
    """
    browser = program()
    if not browser:
        raise ToolError(
            "There is no Chromium on this server. Install one (Debian: apt install "
            "chromium), or ask for format html of a page, template or report."
        )
    with tempfile.TemporaryDirectory(prefix="odoo-mcp-") as folder:
        task = {
            "program": browser,
            "origin": origin,
            "path": path,
            "format": form,
            "width": width,
            "height": HEIGHT,
            "seconds": timeout,
            "html": html,
            "action": action,
        }
        Path(folder, "task.json").write_text(json.dumps(task))
        ended = command.run(
            [sys.executable, "-I", "-S", "-B", DRIVER, folder],
            timeout=timeout,
            keep=KEEP,
            # neither in a command line nor in a file, which others may read
            env=command.harmless_environment({SESSION: sid}),
            call=call,
            hear=lambda _data: None,
        )
        return _result(folder, ended, timeout)


def _result(folder: str, ended: command.Ended, timeout: float) -> Shown:
    """Return what the driver has written.

    :raise ToolError: it has failed
    """
    if ended.timed_out:
        raise ToolError(f"The browser was stopped after {timeout:g} s.")
    try:
        told = json.loads(Path(folder, "result.json").read_text())
        data = b"" if "error" in told else Path(folder, "page").read_bytes()
    except (OSError, ValueError) as error:
        said = (ended.stderr or ended.error or f"exit code {ended.code}")[-500:]
        raise ToolError(f"The browser could not be run: {said}") from error
    if "error" in told:
        console = "".join(f"\n{line}" for line in told.get("console", ()))
        raise ToolError(f"The page could not be shown: {told['error']}{console}")
    return Shown(data, told)
