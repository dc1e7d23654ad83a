"""Pages of connections, and the documentation for whoever connects."""
