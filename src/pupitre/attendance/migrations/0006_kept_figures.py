import django.db.models.deletion
from django.db import migrations, models

from pupitre.tenancy.protection import Protect

# An authority reads days of schools from now on. They are put together from the days of classes, as the tables' owner, whom
# the policies would bind too.
FILL = [
    "ALTER TABLE attendance_dayfigure NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE attendance_schoolday NO FORCE ROW LEVEL SECURITY",
    "INSERT INTO attendance_schoolday "
    "(school_id, authority_id, held_on, registers, marks, present, absent, late, excused, out_of_class) "
    "SELECT school_id, authority_id, held_on, sum(registers), sum(marks), sum(present), sum(absent), sum(late), "
    "sum(excused), sum(out_of_class) FROM attendance_dayfigure GROUP BY school_id, authority_id, held_on",
    "ALTER TABLE attendance_schoolday FORCE ROW LEVEL SECURITY",
    "ALTER TABLE attendance_dayfigure FORCE ROW LEVEL SECURITY",
]


class Migration(migrations.Migration):

    dependencies = [
        ('attendance', '0005_exceptions_by_pupil'),
        ('courses', '0002_settings_stamp'),
        ('people', '0003_looks_by_month'),
        ('tenancy', '0003_months'),
    ]

    operations = [
        migrations.CreateModel(
            name='KeptMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('counted_at', models.DateTimeField()),
                ('school', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('school', 'month'), name='attendance_keptmonth_once')],
            },
        ),
        migrations.CreateModel(
            name='LessonMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('weekday', models.SmallIntegerField()),
                ('begins', models.CharField(max_length=5)),
                ('marks', models.IntegerField(default=0)),
                ('present', models.IntegerField(default=0)),
                ('absent', models.IntegerField(default=0)),
                ('late', models.IntegerField(default=0)),
                ('excused', models.IntegerField(default=0)),
                ('out_of_class', models.IntegerField(default=0)),
                ('klass', models.ForeignKey(db_column='class_id', db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='courses.class')),
                ('school', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('school', 'month', 'klass', 'weekday', 'begins'), name='attendance_lessonmonth_once')],
            },
        ),
        migrations.CreateModel(
            name='PupilMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('marks', models.IntegerField(default=0)),
                ('present', models.IntegerField(default=0)),
                ('absent', models.IntegerField(default=0)),
                ('late', models.IntegerField(default=0)),
                ('excused', models.IntegerField(default=0)),
                ('out_of_class', models.IntegerField(default=0)),
                ('minutes_late', models.IntegerField(default=0)),
                ('days', models.SmallIntegerField(default=0)),
                ('pupil', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.person')),
                ('school', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('school', 'month', 'pupil'), name='attendance_pupilmonth_once')],
            },
        ),
        migrations.CreateModel(
            name='SchoolDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('held_on', models.DateField()),
                ('registers', models.IntegerField(default=0)),
                ('marks', models.IntegerField(default=0)),
                ('present', models.IntegerField(default=0)),
                ('absent', models.IntegerField(default=0)),
                ('late', models.IntegerField(default=0)),
                ('excused', models.IntegerField(default=0)),
                ('out_of_class', models.IntegerField(default=0)),
                ('authority', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.authority')),
                ('school', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school')),
            ],
            options={
                'indexes': [models.Index(fields=['authority', 'held_on'], name='attendance_schoolday_auth')],
                'constraints': [models.UniqueConstraint(fields=('school', 'held_on'), name='attendance_schoolday_once')],
            },
        ),
        Protect('SchoolDay', also_read_by={'authority_id': 'authority'}, history=None),
        Protect('LessonMonth', history=None),
        Protect('PupilMonth', history=None),
        Protect('KeptMonth', history=None),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
