from pathlib import Path

from django.db import migrations, models

HISTORY = (Path(__file__).parents[1] / "history.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0004_inserts_together'),
    ]

    operations = [
        migrations.CreateModel(
            name='Upkeep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.TextField(unique=True)),
                ('began_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('facts', models.JSONField(default=dict)),
            ],
        ),
        # The history passes by what the retention job deletes.
        migrations.RunSQL(HISTORY, migrations.RunSQL.noop),
    ]
