"""Keeps a computer as its school wants it: asks the server, applies what it says, and goes on by itself without network."""

from typing import Final

VERSION: Final = "1.0"
