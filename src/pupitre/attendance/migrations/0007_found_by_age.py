from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('attendance', '0006_kept_figures'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='alert',
            index=models.Index(fields=['school', 'register'], name='attendance_alert_register'),
        ),
        AddIndexConcurrently(
            model_name='absencenotice',
            index=models.Index(condition=models.Q(('document_key', ''), _negated=True), fields=['school', 'document_key'], name='attendance_notice_document'),
        ),
    ]
