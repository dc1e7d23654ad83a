from django.db import migrations

from pupitre.tenancy.protection import Stamp


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0002_settings_stamp'),
        ('courses', '0001_initial'),
    ]

    operations = [
        Stamp("AcademicSession"),
    ]
