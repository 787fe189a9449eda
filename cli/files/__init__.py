"""Reading and writing of the project's files: blueprint.yaml, units.csv, groups.csv."""
