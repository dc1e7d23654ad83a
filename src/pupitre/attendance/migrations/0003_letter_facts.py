from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('attendance', '0002_reopening'),
    ]

    operations = [
        migrations.AddField(
            model_name='absenceletter',
            name='facts',
            field=models.JSONField(default=list),
        ),
    ]
