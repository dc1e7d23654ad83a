from django.db import migrations

from pupitre.tenancy.protection import Stamp


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0002_settings_stamp'),
        ('timetable', '0003_feed_owner'),
    ]

    operations = [
        Stamp("CalendarRule"),
        Stamp("CalendarException"),
        Stamp("BellSchedule"),
        Stamp("Period"),
    ]
