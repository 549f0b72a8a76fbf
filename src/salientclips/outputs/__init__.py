"""What leaves the package: the JSON contract, score files, tables."""
