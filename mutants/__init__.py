"""Mutation testing of the modules where a silent fault costs most: `make mutants`."""
