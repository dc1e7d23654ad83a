"""What authorities read, counted as on another day: `python -m bench.counting 2026-11-20T13:05:00+00:00`.

The product counts a school's standing with each of its days and every night. A benchmark whose clock stands has none.
"""

import os
import sys
from datetime import datetime


def main() -> None:
    """Count every school and every authority of the database that the environment names."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pupitre.project.settings")
    import django

    django.setup()
    from pupitre.attendance.actions import figures
    from pupitre.kernel import clock
    from pupitre.people.rules import system_actor
    from pupitre.tenancy.background import every_authority, every_school
    from pupitre.tenancy.scoping import scope

    now = datetime.fromisoformat(sys.argv[1])
    for school in every_school():
        with scope(school.id):
            figures.count_standing(system_actor(school), today=clock.local(now, school.time_zone).date())
    for authority_id in every_authority():
        with scope(authority=authority_id):
            figures.count_authority(authority_id, now=now)


if __name__ == "__main__":
    main()
