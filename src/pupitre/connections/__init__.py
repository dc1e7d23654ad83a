"""Other systems: who may connect to a school, with what rights, and what they are told.

A connection is a school's own: its administrator makes it, sees when it was used last and revokes it. It carries scopes,
acts under an account of its own that the history names, and never sees another school.
"""
