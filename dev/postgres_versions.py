"""A server of each PostgreSQL version that Odoo runs on, whatever the machine has."""

import os

from dev import node_env, paths
from dev.odoo_instance import free_port
from dev.postgres import IN_HASTE, Cluster

VERSIONS = (12, 13, 14, 15, 16, 17, 18)

# As Debian's, but that who owns the databases is trusted: the tests have any account.
# https://www.postgresql.org/docs/current/auth-pg-hba-conf.html
ACCESS = """
local all postgres,odoo trust
local all all peer
host all all 127.0.0.1/32 scram-sha-256
"""


def cluster(version: int) -> Cluster:
    """A cluster of this process's own, to be removed by it.

    :raise HarnessError: the servers are not in reach
    """
    package = node_env.environment("postgres").package(f"postgres-{version}")
    port = free_port()
    return Cluster(
        paths.cache() / f"postgres-{version}-{os.getpid()}",
        package / "native" / "bin",
        (*IN_HASTE, "listen_addresses=127.0.0.1"),
        port,
        ACCESS,
    )
