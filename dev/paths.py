"""Where the harness keeps what it makes: one cache folder, never the repository."""

import hashlib
import os
import tempfile
from pathlib import Path

ADDON = "odoo_dev_mcp"
REPOSITORY = Path(__file__).resolve().parent.parent

# A socket address holds 107 bytes of path, and PostgreSQL appends its file name.
SOCKET_PATH_LIMIT = 107


def cache() -> Path:
    """Root of everything provisioned, so that one ``rm -r`` undoes the harness."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return made(Path(base).absolute() / ADDON)


def made(folder: Path) -> Path:
    """The folder, created when absent: callers never test for it."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def digest(*parts: object) -> str:
    """Ten hex digits that name a combination of inputs in a file or database name."""
    text = "\0".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def addons_link() -> Path:
    """Addons path that holds this clone under its technical name.

    Odoo takes a module's name from its folder, whatever the clone is called; the hash
    lets several clones share one cache.
    """
    parent = made(cache() / f"addons-{digest(REPOSITORY)}")
    link = parent / ADDON
    if not link.is_symlink():
        link.symlink_to(REPOSITORY, target_is_directory=True)
    return parent


def connection_file() -> Path:
    """Facts of the running ``make run`` for programs (mode 0600: holds the key)."""
    return cache() / "connection.json"


def socket_folder(preferred: Path) -> Path:
    """A folder whose socket fits :data:`SOCKET_PATH_LIMIT`: the preferred, if it can.

    A long ``XDG_CACHE_HOME`` is the one reason to leave the cache.
    """
    if len(os.fsencode(preferred / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_LIMIT:
        return preferred
    runtime = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(runtime) / f"{ADDON}-{os.getuid()}-{digest(preferred)}"
