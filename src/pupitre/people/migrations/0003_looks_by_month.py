from django.db import migrations

from pupitre.tenancy.protection import ByMonth


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0003_months'),
        ('people', '0002_invitation_by_mail'),
    ]

    operations = [
        ByMonth('Look', 'looked_at'),
    ]
