"""The roster files of countries' own systems: one module each, with its layout as a table and what it makes of it."""
