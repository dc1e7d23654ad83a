"""Devices: the fleet of tablets and laptops.

Whose a device is and where in its life it stands, which policies apply to it and why, what it is told to do, which
applications and files it is given, and what it reported of itself. The protocols that devices speak are adapters: the
busy ones live in `edge.gateway`, and know this context's rules and tables.
"""
