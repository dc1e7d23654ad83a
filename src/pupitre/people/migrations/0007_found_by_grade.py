from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('people', '0006_looks_at_devices'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='person',
            index=models.Index(condition=models.Q(('ended_on__isnull', True), models.Q(('grade', ''), _negated=True)), fields=['school', 'grade'], name='people_person_grade'),
        ),
    ]
