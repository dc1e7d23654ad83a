"""The pages of rosters and classes."""
