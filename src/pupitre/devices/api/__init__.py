"""The fleet in the HTTP API."""

from ninja import Router

from .fleet import router as fleet
from .policies import router as policies

router = Router()
router.add_router("", fleet)
router.add_router("", policies)
