"""Run SQL given as JSON on standard input, print rows as JSON.

Started inside the Odoo environment, which has psycopg2: the machine may have no psql.
Each statement commits by itself, as CREATE DATABASE demands.
"""

import json
import sys

import psycopg2


def main() -> None:
    """Print the rows of the last statement that returned any."""
    request = json.load(sys.stdin)
    connection = psycopg2.connect(request["conninfo"])
    connection.autocommit = True
    rows: list[tuple[object, ...]] = []
    with connection.cursor() as cursor:
        for statement in request["statements"]:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else rows
    print(json.dumps(rows, default=str))


if __name__ == "__main__":
    try:
        main()
    except psycopg2.Error as error:
        sys.exit(" ".join(str(error).split()))
