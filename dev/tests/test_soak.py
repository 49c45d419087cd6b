"""A short ``make soak``: it finds nothing, and would find it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dev import soak
from dev.soak.figures import Book, Figures
from dev.stack import Stack

CLIENTS, SECONDS = 8, 10


@pytest.fixture(scope="module")
def found(stack: Stack, make_database: Callable[[str], str]) -> Figures:
    """What eight clients find out in ten seconds."""
    site = soak.prepare(stack, make_database("soak"))
    return soak.run(site, CLIENTS, SECONDS)


def test_eight_clients_at_both_doors_meet_no_error_but_honest_refusals(
    found: Figures,
) -> None:
    assert [*found.faults()] == []
    assert any(seen.refused for seen in found.seen)
    assert {seen.door for seen in found.seen} == {"Odoo's port", "listener"}


def test_the_tables_of_the_readme_have_a_row_for_each_kind_of_request(
    found: Figures,
) -> None:
    text = soak.markdown([found])
    for seen in found.seen:
        assert f"| {seen.work.name} |" in text


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda book: {"entries": book.entries[1:]}, "not in the audit"),
        (lambda book: {"entries": [*book.entries, ("x", "success")]}, "of no call"),
        (lambda book: {"entries": [*book.entries, book.entries[0]]}, "twice"),
        (lambda book: {"entries": [(book.entries[0][0], "open")]}, "not ended"),
        (lambda book: {"lines": book.lines - 1}, "lines of"),
        (lambda book: {"windows": [(0, 6), *book.windows]}, "let in by the limit"),
        (lambda book: {"windows": [(0, 1)]}, "was not full"),
        (lambda book: {"served": [1]}, "did not serve"),
    ],
)
def test_a_fault_of_the_audit_the_limit_or_a_process_is_told(
    change: Callable[[Book], dict], fault: str, found: Figures
) -> None:
    book = replace(found.book, **change(found.book))
    assert fault in " ".join(replace(found, book=book).faults())
