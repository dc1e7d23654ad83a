"""The fleet in the HTTP API."""

from ninja import Router

from .applications import router as applications
from .fleet import router as fleet
from .lending import router as lending
from .policies import router as policies

router = Router()
router.add_router("", fleet)
router.add_router("", lending)
router.add_router("", applications)
router.add_router("", policies)
