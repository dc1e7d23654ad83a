from django.db import migrations

from pupitre.tenancy.protection import Stamp


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0002_settings_stamp'),
        ('attendance', '0003_letter_facts'),
    ]

    operations = [
        Stamp("AttendanceCode"),
        Stamp("AttendanceSettings"),
    ]
