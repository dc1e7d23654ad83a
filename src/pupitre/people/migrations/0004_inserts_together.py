from django.db import migrations

from pupitre.tenancy.protection import KeepInsertsTogether


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0003_looks_by_month'),
        ('tenancy', '0004_inserts_together'),
    ]

    operations = [
        KeepInsertsTogether('Person', subject='id'),
        KeepInsertsTogether('Membership', subject='person_id'),
        KeepInsertsTogether('Guardianship', subject='pupil_id'),
    ]
