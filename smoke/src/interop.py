"""Counts the rows of a store with PyIceberg and with DuckDB, as `hyp attach` says that they open it.

Arguments: what `hyp attach pyiceberg` and `hyp attach duckdb` printed, and a folder for DuckDB's extensions.
"""

import json
import pathlib
import platform
import shutil
import sys

import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
import pyarrow.compute as pc

python, sql, folder = sys.argv[1:]
opened = {}
exec(python, opened)
table = opened["messages"]
rows = table.scan(selected_fields=("part_id", "output_tokens")).to_arrow()
pyiceberg = {
    "rows": rows.num_rows,
    "parts": pc.count_distinct(rows["part_id"]).as_py(),
    "tokens": pc.sum(rows["output_tokens"]).as_py(),
}

# The extensions come with Python packages: where DuckDB finds them installed, it fetches nothing.
machine = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
extensions = pathlib.Path(folder) / f"v{duckdb.__version__}" / f"linux_{machine}"
extensions.mkdir(parents=True)
for module in (duckdb_extension_avro, duckdb_extension_iceberg):
    for path in pathlib.Path(module.__file__).parent.glob("extensions/*/*.duckdb_extension*"):
        shutil.copy(path, extensions)
connection = duckdb.connect(
    config={"extension_directory": folder, "custom_extension_repository": "/nonexistent"}
)
connection.execute(sql)
count, parts, tokens = connection.execute(
    "select count(*), count(distinct part_id), sum(output_tokens)::bigint from ai_gateway_messages"
).fetchone()
(originals,) = connection.execute("select count(*) from messages").fetchone()

summary = table.current_snapshot().summary
json.dump(
    {
        "pyiceberg": pyiceberg,
        "duckdb": {"rows": count, "parts": parts, "tokens": tokens},
        "duckdb_messages": originals,
        "position_deletes": int(summary["total-position-deletes"] or 0),
    },
    sys.stdout,
)
