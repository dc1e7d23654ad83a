from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('attendance', '0004_settings_stamp'),
    ]

    operations = [
        migrations.RemoveIndex(model_name='mark', name='attendance_mark_exceptions'),
        migrations.AddIndex(
            model_name='mark',
            index=models.Index(condition=models.Q(('status', 1), _negated=True), fields=['school', 'held_on', 'pupil'], name='attendance_mark_exceptions'),
        ),
    ]
