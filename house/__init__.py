"""The house's own inspectors."""
