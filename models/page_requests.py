"""Which requests of a page that is only looked at reach the server.

Imported by :mod:`.browser_driver`, too, which has nothing of Odoo.
"""

import json
import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

SESSION = "MCP_SESSION"
"""The variable that tells the browser's driver with which session to ask."""

LOCAL = ("data", "blob", "about")

WRITES = re.compile(
    r"create|write|unlink|copy|web_save(_multi)?|web_resequence|web_override_\w+"
    r"|name_create|load|execute|message_post|toggle_\w+|action_\w+|button_\w+|set_\w+"
    r"|archive|unarchive|web_name_create|mark_\w+|unlink_\w+|copy_\w+"
)
"""Methods by which the web client changes records."""

READS = re.compile(
    r"(web_)?(search|read|name_search)(_\w+)?|(_?get|fields|has|default|check)_\w+"
    r"|onchange|formatted_read_\w+|web_read_group"
)
"""All that the web client may call on what governs this server."""

GOVERNING = re.compile(
    r"mcp\..*|res\.config\.settings|res\.users.*|res\.groups.*|ir\.config_parameter"
    r"|ir\.model\.access|ir\.rule|ir\.actions\.server|ir\.cron"
)


class Answer(NamedTuple):
    """What is answered in place of the server.

    :param told: what was not done
    """

    told: str
    body: bytes


def is_own(url: str, host: str) -> bool:
    """Tell whether a request goes to this server, or nowhere.

    >>> is_own("http://127.0.0.1:8069/web", "127.0.0.1:8069")
    True
    >>> is_own("file:///etc/passwd", "127.0.0.1:8069")
    False
    """
    parts = urlsplit(url)
    if parts.scheme in LOCAL:
        return True
    return parts.scheme in ("http", "ws") and parts.netloc == host


def answered_here(request: dict) -> Answer | None:
    """Return the answer to a request that would change records; None: it may pass.

    :param request: as DevTools' ``Fetch.requestPaused`` tells it
    """
    # as the server reads it
    path = unquote(urlsplit(request["url"]).path)
    if request["method"] in ("GET", "HEAD", "OPTIONS"):
        return None
    if path.startswith("/web/dataset/"):
        try:
            params = json.loads(request.get("postData", ""))["params"]
            model, method = str(params["model"]), str(params["method"])
        except (ValueError, KeyError, TypeError):
            # what cannot be read is not let through
            return Answer(path, b'{"jsonrpc": "2.0", "id": null, "result": false}')
        may = READS if GOVERNING.fullmatch(model) else None
        passes = may.fullmatch(method) if may else not WRITES.fullmatch(method)
        if passes and not path.startswith("/web/dataset/call_button"):
            return None
        told = f"{model}.{method}"
    elif re.match(r"/(web/action/run|jsonrpc|xmlrpc|json/)", path):
        told = path
    else:
        return None
    return Answer(told, b'{"jsonrpc": "2.0", "id": null, "result": false}')
