#!/usr/bin/env bash
# DuckDB 2.0.1: read_csv guesses the separator from the rows, and where it finds none that fits all of
# them it goes on without an error. Seen, as columns and first row:
#
#     300 rows of a,b, one of them short     ['a,b'] ('0,0',)
#     x;y, one column with decimal commas    ['x', 'y'] ('1,5', 2)
#     x;y, both columns with decimal commas  ['column0', 'column1', 'column2'] (1, '5;2', 5)
#     a line of years as names               ['column0', 'column1', 'column2'] ('country', 2019.0, 2020.0)
#
# One short row makes all columns one column of text; two columns with decimal commas are cut at
# the commas and lose their names; names that are years are taken for data. Give sep=, decimal= and
# header= and look at the names.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'duckdb==2.0.1'
cd "$room"
"$room/venv/bin/python" - <<'SEEN'
import duckdb


def read(title, text, **options):
    with open("table.csv", "w") as file:
        file.write(text)
    table = duckdb.read_csv("table.csv", **options)
    seen = table.columns, table.limit(1).fetchall()[0]
    print(f"{title:38} {seen[0]} {seen[1]}")
    return seen


unnamed = ["column0", "column1", "column2"]
rows = "".join(f"{i},{2 * i}\n" for i in range(150))
seen = read("300 rows of a,b, one of them short", f"a,b\n{rows}3\n{rows}")
assert seen == (["a,b"], ("0,0",))
seen = read("x;y, one column with decimal commas", "x;y\n1,5;2\n2,5;3\n")
assert seen == (["x", "y"], ("1,5", 2))
seen = read("x;y, both columns with decimal commas", "x;y\n1,5;2,5\n2,5;3,5\n")
assert seen == (unnamed, (1, "5;2", 5))
seen = read("a line of years as names", "country,2019,2020\nitaly,1.5,2.5\nnorway,3.5,4.5\n")
assert seen == (unnamed, ("country", 2019, 2020))
seen = read("the same, told", "x;y\n1,5;2,5\n2,5;3,5\n", sep=";", decimal=",", header=True)
assert seen == (["x", "y"], (1.5, 2.5))
SEEN
