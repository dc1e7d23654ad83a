"""SCIM 2.0 (RFC 7643, 7644): another system's directory keeps the school's people and groups up to date.

scim2-server speaks the protocol; here is what it reads and writes. Users are persons, groups are classes.
"""
