"""The hot paths: lean ASGI services that share the domain's rules and the database with the pages, and nothing of Django."""
