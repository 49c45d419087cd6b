"""Tables for people: as text with columns of equal width, as Markdown in the README."""

from collections.abc import Iterable, Iterator, Sequence

from dev import console, paths

README = paths.REPOSITORY / "README.md"

Row = Sequence[str]


def plain(rows: Iterable[Row]) -> Iterator[str]:
    """Columns of equal width."""
    found = [*rows]
    widths = [max(map(len, column)) for column in zip(*found, strict=True)]
    for first, *rest in found:
        cells = [
            cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)
        ]
        yield "  " + "  ".join([first.ljust(widths[0]), *cells]).rstrip()


def markdown(rows: Iterable[Row]) -> Iterator[str]:
    """Lines of a table whose first row is its head."""
    for number, row in enumerate(rows):
        yield f"| {' | '.join(row)} |"
        if number == 0:
            yield f"|---{'|---:' * (len(row) - 1)}|"


def into_readme(command: str, text: str) -> None:
    """Put what a command has written between its marks in the README."""
    begin, end = f"<!-- {command} -->\n", f"<!-- end of {command} -->\n"
    before, _mark, rest = README.read_text().partition(begin)
    _old, _mark, after = rest.partition(end)
    README.write_text(f"{before}{begin}{text}{end}{after}")
    console.progress(f"the README has the new tables of {command}")
