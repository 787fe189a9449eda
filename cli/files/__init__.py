"""Reading and writing of the project's files: blueprint.toml, units.csv, groups.csv."""
