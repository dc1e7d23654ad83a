from django.db import migrations

from pupitre.tenancy.protection import KeepInsertsTogether


class Migration(migrations.Migration):

    dependencies = [
        ('courses', '0002_settings_stamp'),
        ('tenancy', '0004_inserts_together'),
    ]

    operations = [
        KeepInsertsTogether('Course'),
        KeepInsertsTogether('Class'),
        KeepInsertsTogether('Enrolment', subject='person_id'),
    ]
