import django.db.models.deletion
from django.db import migrations, models

from pupitre.tenancy.protection import Protect


class Migration(migrations.Migration):

    dependencies = [
        ('attendance', '0001_initial'),
        ('people', '0001_initial'),
        ('tenancy', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Reopening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reopened_at', models.DateTimeField()),
                ('reason', models.TextField()),
                ('closed_at', models.DateTimeField()),
                ('closed_by', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.person')),
                ('register', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='attendance.register')),
                ('reopened_by', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.person')),
                ('school', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school')),
            ],
            options={
                'indexes': [models.Index(fields=['school', 'register'], name='attendance_reopening_register')],
            },
        ),
        Protect('Reopening', history=None),
    ]
