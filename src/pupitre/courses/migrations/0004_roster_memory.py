import django.db.models.deletion
from django.db import migrations, models

from pupitre.tenancy.protection import Protect


class Migration(migrations.Migration):

    dependencies = [
        ('courses', '0003_inserts_together'),
        ('tenancy', '0004_inserts_together'),
    ]

    operations = [
        migrations.CreateModel(
            name='RosterMemory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.TextField()),
                ('packed', models.BinaryField()),
                ('school', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school')),
            ],
        ),
        migrations.AddConstraint(
            model_name='rostermemory',
            constraint=models.UniqueConstraint(fields=('school', 'kind'), name='courses_rostermemory_once'),
        ),
        Protect('RosterMemory', history=None),
    ]
