"""Each defence that SECURITY.md claims names the tests that prove it."""

import re

from dev.paths import REPOSITORY

TABLE = "| Test |"
NAMED = re.compile(r"`((?:dev/)?tests/\w+\.py)(?:::(\w+))?`")


def claims() -> list[str]:
    """Rows of the tables whose last column is their test."""
    found, proved = [], False
    for line in (REPOSITORY / "SECURITY.md").read_text("utf-8").splitlines():
        if not line.startswith("|"):
            proved = False
        elif line.endswith(TABLE):
            proved = True
        elif proved and not line.startswith("|---"):
            found.append(line)
    return found


def test_each_claim_names_its_test() -> None:
    assert len(claims()) > 80
    assert [row for row in claims() if not NAMED.search(row.rpartition(" | ")[2])] == []


def test_each_test_that_is_named_exists() -> None:
    missing = []
    for path, name in {found for row in claims() for found in NAMED.findall(row)}:
        file = REPOSITORY / path
        if not file.is_file() or (name and f"def {name}(" not in file.read_text()):
            missing.append(f"{path}::{name}")
    assert missing == []
