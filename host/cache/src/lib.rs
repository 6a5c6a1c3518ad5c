//! The lake: Iceberg tables with a SQLite catalog, one commit API.
