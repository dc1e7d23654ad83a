"""What everything stands on: configuration, clock, errors, identifiers, the database's scope. Pure Python, no framework."""
