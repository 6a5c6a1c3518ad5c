"""Counts the rows of a store with PyIceberg and with DuckDB."""

import json
import pathlib
import sys

import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
import pyarrow.compute as pc
from pyiceberg.catalog.sql import SqlCatalog

store = pathlib.Path(sys.argv[1])
catalog = SqlCatalog(
    "hyp", uri=f"sqlite:///{store / 'catalog.db'}", warehouse=f"file://{store / 'warehouse'}"
)
table = catalog.load_table("hyp.ai_gateway_messages")
rows = table.scan(selected_fields=("part_id", "output_tokens")).to_arrow()
pyiceberg = {
    "rows": rows.num_rows,
    "parts": pc.count_distinct(rows["part_id"]).as_py(),
    "tokens": pc.sum(rows["output_tokens"]).as_py(),
}

connection = duckdb.connect(
    config={
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "custom_extension_repository": "/nonexistent",
    }
)
for module, name in ((duckdb_extension_avro, "avro"), (duckdb_extension_iceberg, "iceberg")):
    path = next(pathlib.Path(module.__file__).parent.glob(f"extensions/*/{name}.duckdb_extension"))
    connection.execute(f"LOAD '{path}'")
count, parts, tokens = connection.execute(
    "select count(*), count(distinct part_id), sum(output_tokens)::bigint from iceberg_scan(?)",
    [table.metadata_location],
).fetchone()

summary = table.current_snapshot().summary
json.dump(
    {
        "pyiceberg": pyiceberg,
        "duckdb": {"rows": count, "parts": parts, "tokens": tokens},
        "position_deletes": int(summary["total-position-deletes"] or 0),
    },
    sys.stdout,
)
