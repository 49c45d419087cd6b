"""Shows one page in headless Chromium and tells what came of it; a process of its own.

Started by :mod:`.browser` with Python alone (``-I -S``): it imports nothing of Odoo.
Argument: a folder of its own with ``task.json``; ``result.json`` and ``page`` (picture,
PDF or HTML) are written there.
"""

import base64
import ctypes
import json
import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from browser_page import Page
from command_supervisor import PR_SET_CHILD_SUBREAPER, kill
from devtools import Gone
from page_requests import SESSION

MOST_HEIGHT = 6000

WHEN_READY = """
(async () => {
    const end = Date.now() + 20000;
    const action = () => globalThis.odoo?.__WOWL_DEBUG__?.root?.env?.services?.action;
    while (!action() && Date.now() < end) await new Promise(r => setTimeout(r, 100));
    if (!action()) throw new Error("There is no web client on " + location.pathname);
    await action().doAction(ACTION, {clearBreadcrumbs: true});
})()
"""

HTML = (
    "(document.querySelector('.o_action_manager') || document.documentElement)"
    ".outerHTML"
)


def attach(browser: Page) -> None:
    """Make ready a blank page, of whose requests each is looked at."""
    task = browser.task
    target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
    attached = browser.ask("Target.attachToTarget", targetId=target, flatten=True)
    browser.session = attached["sessionId"]
    for domain in ("Network", "Page", "Runtime", "Log"):
        browser.ask(f"{domain}.enable")
    browser.ask("Fetch.enable", patterns=[{"urlPattern": "*"}])
    browser.ask(
        "Emulation.setDeviceMetricsOverride",
        width=task["width"],
        height=task["height"],
        deviceScaleFactor=1,
        mobile=False,
    )


def show(browser: Page) -> None:
    """Open the page of the task."""
    task = browser.task
    browser.ask(
        "Network.setCookie",
        name="session_id",
        value=task["session"],
        url=task["origin"],
        httpOnly=True,
    )
    opened = browser.ask("Page.navigate", url=task["origin"] + task["path"])
    if opened.get("errorText"):
        raise Gone(f"{task['path']}: {opened['errorText']}")
    browser.settle()
    if task.get("action"):
        browser.evaluate(WHEN_READY.replace("ACTION", json.dumps(task["action"])))
        browser.settle()


def taken(browser: Page) -> tuple[bytes, dict]:
    """Return the page in the format of the task, and what is told of it."""
    kind = browser.task["format"]
    if kind == "html":
        return browser.evaluate(HTML).encode(), {}
    if kind == "pdf":
        printed = browser.ask(
            "Page.printToPDF", printBackground=True, preferCSSPageSize=True
        )
        return base64.b64decode(printed["data"]), {}
    whole = browser.ask("Page.getLayoutMetrics")["cssContentSize"]
    size = {
        "width": browser.task["width"],
        "height": int(min(max(whole["height"], 1), MOST_HEIGHT)),
    }
    picture = browser.ask(
        "Page.captureScreenshot",
        format="png",
        captureBeyondViewport=True,
        clip={"x": 0, "y": 0, **size, "scale": 1},
    )
    return base64.b64decode(picture["data"]), size


def main(folder: str) -> None:
    """Do the task in the folder; whatever the browser has started ends here."""
    with open(f"{folder}/task.json") as file:
        task = json.load(file) | {"session": os.environ.pop(SESSION)}
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    browser, told = None, {}
    try:
        browser = Page(task, folder)
        attach(browser)
        show(browser)
        data, told = taken(browser)
        told["title"], told["url"] = browser.evaluate(
            "[document.title, location.pathname + location.search + location.hash]"
        )
        with open(f"{folder}/page", "wb") as file:
            file.write(data)
    except (Gone, OSError) as error:
        told["error"] = str(error)
    finally:
        if browser:
            told |= {"status": browser.status, "console": browser.console}
            told["kept_back"] = list(dict.fromkeys(browser.kept_back))
            kill(browser.process.pid)
        with open(f"{folder}/result.json", "w") as file:
            json.dump(told, file)


if __name__ == "__main__":
    main(sys.argv[1])
