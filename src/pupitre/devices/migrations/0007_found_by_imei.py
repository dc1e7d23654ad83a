from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """A tablet may call itself by its IMEI: whoever comes with a number that nobody knows must not cost a look at all devices."""

    atomic = False

    dependencies = [
        ('devices', '0006_leases_by_connections'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='device',
            index=models.Index(
                condition=models.Q(('imei', ''), _negated=True), fields=['authority', 'imei'], name='devices_device_by_imei'
            ),
        ),
    ]
