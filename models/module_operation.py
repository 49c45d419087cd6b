"""Install or upgrade a module in a process that may fail or be killed.

A fork has the registry loaded and takes 2 to 3 seconds. Where the server runs Python
that is older than the files, a new Odoo process does it, and the server is to be
restarted.
"""

import functools
import sys
from pathlib import Path

from odoo.modules.loading import reset_modules_state
from odoo.modules.registry import Registry

from .. import compat
from . import forked, module_worker, odoo_child, odoo_process
from .exceptions import Cancelled, ToolError
from .live_call import live
from .parameters import let_go, parameter, time_left

DONE = {"install": "installed", "upgrade": "upgraded"}


class Operation:
    """One installation or upgrade, from the check to what is told of it.

    :param verb: ``install`` or ``upgrade``
    """

    def __init__(self, env, name: str, verb: str) -> None:
        self.env = env
        self.name = name
        self.verb = verb
        self.database = env.cr.dbname

    def perform(self) -> dict:
        """Do it and return what ``ModuleOperation`` tells, without the duration.

        :raise ToolError: it is known to fail before a process is started for it
        """
        module = self.env["ir.module.module"].sudo().search([("name", "=", self.name)])
        method = f"button_immediate_{self.verb}"
        if error := module and module_worker.refusal(module, self.name, method):
            raise ToolError(error)
        before, remains = self._states(), self._remains()
        # what depends on it is upgraded with it
        touched = module | module.downstream_dependencies()
        stale = any(
            is_stale(each.name, self._installed_at(each)) for each in touched
        ) or (not module and is_stale(self.name, None))
        let_go(self.env)
        try:
            done = self._by_new_odoo() if stale else self._by_fork(method)
        except Cancelled:
            self._clean_up(self._states_now())
            raise
        after = self._states_now()
        if done["error"]:
            self._clean_up(after)
            after = self._states_now()
        changes = [
            {"name": name, "before": before.get(name, "new"), "after": state}
            for name, state in after.items()
            if state != before.get(name, "uninstalled")
        ]
        stayed = [name for name in done["loaded"] if after.get(name) == "installed"]
        remains = self._remains() - remains
        return {
            "success": not done["error"],
            "message": self._failed(done["error"], stayed, sorted(remains))
            if done["error"]
            else self._succeeded(stale),
            "state": after.get(self.name, "uninstalled"),
            "state_before": before.get(self.name, "uninstalled"),
            "changes": changes,
            "loaded": done["loaded"],
            "log": done["log"],
            "restart_needed": stale and not done["error"],
        }

    def _by_fork(self, method: str) -> dict:
        work = functools.partial(module_worker.run, self.database, self.name, method)
        seconds = self._seconds()
        try:
            ended = forked.run(
                work,
                self.database,
                timeout=seconds,
                keep=10_000,
                call=live(self.env),
            )
        except forked.ForkError as error:
            raise ToolError(f"{error}. Try again.") from error
        if ended.result:
            return ended.result
        error = f"its process ended with status {ended.status}: {ended.output}"
        if ended.timed_out:
            error = f"it was stopped after {seconds:g} s"
        return {"error": error, "log": [], "loaded": []}

    def _by_new_odoo(self) -> dict:
        option = "--init" if self.verb == "install" else "--update"
        seconds = self._seconds()
        ended, told = odoo_child.run(
            option,
            self.name,
            database=self.database,
            timeout=seconds,
            call=live(self.env),
        )
        error = None
        if ended.timed_out:
            error = f"it was stopped after {seconds:g} s"
        elif ended.code:
            said = told["log"][-1] if told["log"] else ended.stderr
            error = said.strip().rpartition("\n")[2]
        return {**told, "error": error}

    def _seconds(self) -> float:
        return time_left(self.env, parameter(self.env, "command_maximum"))

    def _states_now(self) -> dict[str, str]:
        """Return the states as another process has committed them."""
        compat.forget_manifests()
        let_go(self.env)
        self.env.invalidate_all()
        return self._states()

    def _states(self) -> dict[str, str]:
        rows = self.env["ir.module.module"].sudo()._read_group([], ["name", "state"])
        return dict(rows)

    def _remains(self) -> set[str]:
        """Return the modules that are not installed, but have data in the database.

        18.0 commits a module's data before it marks the module as installed.
        """
        self.env.cr.execute(
            "SELECT m.name FROM ir_module_module m WHERE m.state = 'uninstalled' "
            "AND EXISTS (SELECT FROM ir_model_data d WHERE d.module = m.name)"
        )
        return {name for (name,) in self.env.cr.fetchall()}

    def _installed_at(self, module) -> float | None:
        """Return when a module was installed, epoch seconds; None: it is not."""
        if module.state != "installed":
            return None
        self.env.cr.execute(
            "SELECT extract(epoch FROM min(create_date)) FROM ir_model_data "
            "WHERE module = %s",
            [module.name],
        )
        return float(self.env.cr.fetchone()[0] or 0)

    def _clean_up(self, after: dict[str, str]) -> None:
        """Undo the marks that a failure left, and show all servers what stayed.

        Odoo does so itself, but not when it is killed. What it has committed stays.
        """
        if any(state.startswith("to ") for state in after.values()):
            reset_modules_state(self.database)
        registry = Registry(self.database)
        registry.registry_invalidated = True
        registry.signal_changes()
        # this process, too, is to load what stayed
        registry.registry_sequence -= 1

    def _failed(self, error: str, stayed: list[str], remains: list[str]) -> str:
        parts = [f"{self.verb} of {self.name} failed: {error}"]
        if "external dependency" in error:
            parts.append(
                "Install it where the server runs (pip install …), and call again."
            )
        if stayed:
            parts.append(f"{DONE[self.verb].title()} and staying: {', '.join(stayed)}.")
        if remains:
            parts.append(
                f"Not installed, but tables and data of it stay: {', '.join(remains)}."
            )
        if not stayed and not remains:
            parts.append("Odoo rolled everything back.")
        return "\n".join(parts)

    def _succeeded(self, stale: bool) -> str:
        done = f"{self.name} is {DONE[self.verb]}."
        if stale:
            done += (
                " The server still runs its older Python code: restart it with "
                "service_status(service='odoo', action='restart')."
            )
        return done


def is_stale(name: str, installed_at: float | None) -> bool:
    """Tell whether a process of this server may run older Python than the files.

    :param installed_at: when the module was installed, epoch seconds; None: it is not
    """
    since = odoo_process.python_since()
    if installed_at:
        since = max(since, installed_at)
    elif f"odoo.addons.{name}" not in sys.modules:
        return False
    path = compat.module_path(name)
    files = Path(path).rglob("*.py") if path else ()
    # the manifest is no code: it is read anew each time
    stats = [file.stat() for file in files if file.name != "__manifest__.py"]
    # the time of a copy may be that of its original, that of the inode is not
    times = [max(stat.st_mtime, stat.st_ctime) for stat in stats]
    return max(times, default=0) > since
