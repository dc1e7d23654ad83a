"""The HTTP API of registers, absences and figures."""

from ninja import Router

from .absences import router as absences
from .figures import router as figures
from .registers import router as registers

router = Router()
for part in (absences, figures, registers):
    router.add_router("", part)
