"""How a run is spread over processes: a module of tests to each that is free."""

from xdist.scheduler import LoadFileScheduling

SECONDS = {
    "phone_home": 250,
    "listener": 250,
    "module_operations": 250,
    "phone_home, prefork": 150,
    "bad_days": 150,
    "jobs": 120,
    "query_role": 110,
    "read_only_role": 75,
    "listener, prefork": 90,
    "bad_days_postgres": 85,
    "streams": 85,
    "guardrails": 70,
    "cancellation": 60,
    "killed": 55,
    "soak": 50,
    "attacks_sql": 50,
    "attacks_processes": 50,
    "services": 45,
    "metrics": 40,
}
"""What modules take that take long; they are begun first."""

SPLIT = ("phone_home", "listener")
"""Modules whose tests with workers share no server with the others."""


class LongestFirst(LoadFileScheduling):
    """Gives a module as a whole to one process, for its tests share servers."""

    def _split_scope(self, nodeid: str) -> str:
        path, _, test = nodeid.partition("::")
        module = path.rpartition("/test_")[2].removesuffix(".py")
        with_workers = module in SPLIT and test.endswith("prefork]")
        return f"{module}, prefork" if with_workers else module

    def _assign_work_unit(self, node: object) -> None:
        longest = max(self.workqueue, key=lambda scope: SECONDS.get(scope, 0))
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)
