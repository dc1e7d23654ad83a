"""The HTTP API of people, classes and rosters.

People stand here and not in their own context: a list of people can be narrowed to a class, which people knows nothing of.
"""

from ninja import Router

from .classes import router as classes
from .people import router as people
from .rosters import router as rosters

router = Router()
for part in (classes, people, rosters):
    router.add_router("", part)
