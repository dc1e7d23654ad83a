import django.db.models.deletion
from django.db import migrations, models

from pupitre.tenancy.protection import Protect


class Migration(migrations.Migration):

    dependencies = [
        ('courses', '0004_roster_memory'),
        ('tenancy', '0004_inserts_together'),
    ]

    operations = [
        migrations.CreateModel(
            name='RosterExport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('made_at', models.DateTimeField()),
                ('file_key', models.TextField()),
                ('size', models.IntegerField()),
                ('school', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school')),
            ],
            options={
                'indexes': [models.Index(fields=['school', '-made_at'], name='courses_rosterexport_new')],
            },
        ),
        migrations.CreateModel(
            name='RosterExportPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_on', models.BooleanField(default=False)),
                ('hour', models.SmallIntegerField(default=3)),
                ('kept', models.SmallIntegerField(default=14)),
                ('school', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('school',), name='courses_rosterexportplan_one')],
            },
        ),
        migrations.CreateModel(
            name='RosterSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('base_url', models.TextField()),
                ('token_url', models.TextField()),
                ('client_id', models.TextField()),
                ('secret', models.BinaryField()),
                ('is_nightly', models.BooleanField(default=False)),
                ('share', models.SmallIntegerField(default=10)),
                ('pulled_at', models.DateTimeField(null=True)),
                ('outcome', models.JSONField(default=dict)),
                ('school', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('school',), name='courses_rostersource_one')],
            },
        ),
        Protect('RosterExport', history=None),
        Protect('RosterExportPlan', history=None),
        Protect('RosterSource', history=None),
    ]
