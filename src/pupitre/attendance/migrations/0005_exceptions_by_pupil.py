from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('attendance', '0004_settings_stamp'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='mark',
            index=models.Index(condition=models.Q(('status', 1), _negated=True), fields=['school', 'held_on', 'pupil'], name='attendance_mark_away'),
        ),
        RemoveIndexConcurrently(model_name='mark', name='attendance_mark_exceptions'),
    ]
