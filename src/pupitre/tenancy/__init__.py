"""Authorities (regions, groups) and their schools; the tenant scope, row-level security, composite keys and the history of changes."""
