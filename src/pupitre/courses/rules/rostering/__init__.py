"""OneRoster 1.2's rostering service (REST): which endpoints there are, what may be asked, how things are told. Pure.

Source: 1EdTech OneRoster 1.2, Rostering Service, REST binding, and its OpenAPI description.
"""
