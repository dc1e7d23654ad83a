"""`python -m pupitre_agent` is the command `pupitre-agent`."""

import sys

from .cli import main

sys.exit(main())
