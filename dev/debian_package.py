"""Odoo 19.0 from Debian's ``odoo-19``, unpacked into the cache, machine untouched.

apt gets a source list, list folder and cache of its own; the signatures are checked
with the archive keyring that the machine has.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from dev import console, paths
from dev.console import HarnessError

SUITE = "unstable"
# Named, not "stable": the next stable has a Font Awesome of another layout.
FONTS_SUITE = "trixie"
KEYRINGS = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)
ODOO_PACKAGE = "odoo-19"

# Debian replaces bundled scripts and fonts by links into these packages.
LINKED_PACKAGES = (
    f"libjs-jquery/{FONTS_SUITE}",
    f"libjs-jquery-form/{FONTS_SUITE}",
    f"libjs-underscore/{FONTS_SUITE}",
    f"fonts-font-awesome/{FONTS_SUITE}",
    f"fonts-roboto-unhinted/{FONTS_SUITE}",
    f"fonts-inconsolata/{FONTS_SUITE}",
    "fonts-montserrat",
)

# Left out by Debian for its licence; absent, it is an asset error wherever mail is.
MISSING_SCRIPT = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"

UNREADABLE = (
    f"Odoo 19.0: apt cannot read Debian {SUITE}; mend apt's mirror, "
    "or set ODOO_19_HOME to a source tree"
)
ADDONS = Path("usr/lib/python3/dist-packages/odoo/addons")


def provision(target: Path) -> None:
    """Fill ``target`` with a tree that runs; it appears whole or not at all."""
    work = paths.made(paths.cache() / "debian")
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    apt = _apt(work)
    console.progress("reading Debian's package lists…")
    console.run([*apt, "update"], failure=UNREADABLE)
    for archive in _download(apt, work):
        console.progress(f"unpacking {archive.name}")
        console.run(["dpkg", "-x", archive, partial], failure="cannot unpack")
    script = partial / ADDONS / MISSING_SCRIPT
    paths.made(script.parent)
    script.touch()
    partial.rename(target)
    shutil.rmtree(work, ignore_errors=True)


def _apt(work: Path) -> list[str]:
    """apt-get with every folder it would write to moved into ``work``."""
    source = work / "sources.list"
    origin = f"deb [signed-by={_keyring()}] {_site(work)}"
    source.write_text(f"{origin} {SUITE} main\n{origin} {FONTS_SUITE} main\n")
    options = _folders(work) | {
        "Dir::Etc::SourceList": str(source),
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "APT::Default-Release": "",
    }
    return _with_options(options)


def _with_options(options: dict[str, str]) -> list[str]:
    pairs = [f"{name}={value}" for name, value in options.items()]
    return ["apt-get", "-qq", *(part for pair in pairs for part in ("-o", pair))]


def _folders(work: Path) -> dict[str, str]:
    for folder in ("lists/partial", "cache/archives/partial"):
        paths.made(work / folder)
    return {
        "Dir::State::Lists": str(work / "lists"),
        "Dir::Cache": str(work / "cache"),
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root" if os.getuid() == 0 else "",
    }


def _keyring() -> str:
    for keyring in KEYRINGS:
        if Path(keyring).exists():
            return keyring
    raise HarnessError(
        "Debian's archive keyring is missing: install debian-archive-keyring, "
        "or set ODOO_19_HOME to an Odoo 19.0 source tree"
    )


def _site(work: Path) -> str:
    """The Debian mirror that the machine's apt already uses."""
    if not shutil.which("apt-get"):
        raise HarnessError(
            "no apt-get here to fetch Odoo 19.0: set ODOO_19_HOME to a source tree"
        )
    known = _debian_sites(["apt-get"])
    if not known:
        own = _with_options(_folders(work / "machine"))
        console.run([*own, "update"], failure="apt cannot read its package lists")
        known = _debian_sites(own)
    if not known:
        raise HarnessError(
            "apt knows no Debian mirror: set ODOO_19_HOME to an Odoo 19.0 source tree"
        )
    return known[0]


def _debian_sites(apt: Sequence[str]) -> list[str]:
    listing = console.run(
        [*apt, "indextargets", "--format", "$(SITE)", "Origin: Debian"],
        failure="apt cannot tell its mirror",
    )
    return listing.split()


def _download(apt: Sequence[str], work: Path) -> list[Path]:
    archives = paths.made(work / "archives")
    size = _megabytes(apt)
    console.progress(f"downloading Odoo 19.0 ({size} MB)…")
    for package in (ODOO_PACKAGE, *LINKED_PACKAGES):
        console.run(
            [*apt, "download", package],
            cwd=archives,
            failure=f"cannot download Debian's {package}",
        )
    return sorted(archives.glob("*.deb"))


def _megabytes(apt: Sequence[str]) -> int:
    described = console.run(
        [*apt, "download", "--print-uris", ODOO_PACKAGE],
        failure=f"Debian {SUITE} has no package {ODOO_PACKAGE}",
    )
    return int(described.rsplit(" ", 2)[-2]) // 1_000_000
