"""Telling people things, and what they do with it."""
