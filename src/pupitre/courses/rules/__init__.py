"""Decisions about rosters, pure: reading files of several formats, comparing them with the school, writing them."""
