import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from pupitre.tenancy.protection import Protect, scoped

# The authority's own rows: no school's scope reaches them, and hers reaches no other authority's.
PROTECT = [
    "ALTER TABLE attendance_authorityday ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE attendance_authorityday FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY authority ON attendance_authorityday USING (authority_id = {scoped('authority')}) "
    f"WITH CHECK (authority_id = {scoped('authority')})",
]
# What schools have counted so far, put together as the tables' owner, whom the policies would bind too. From then on each
# school counts its own row again with each of its days.
FILL = [
    "ALTER TABLE attendance_schoolday NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE attendance_schoolstanding NO FORCE ROW LEVEL SECURITY",
    "WITH day AS (SELECT d.*, d.absent + d.excused AS missed, (now() AT TIME ZONE s.time_zone)::date AS today, s.time_zone "
    "FROM attendance_schoolday d JOIN tenancy_school s ON s.id = d.school_id "
    "WHERE d.held_on BETWEEN (now() AT TIME ZONE s.time_zone)::date - 30 AND (now() AT TIME ZONE s.time_zone)::date) "
    "INSERT INTO attendance_schoolstanding "
    "(school_id, authority_id, held_on, ends_at, registers, missed, marks, window_missed, window_marks, usual, usual_today) "
    "SELECT school_id, max(authority_id), today, (today + 1)::timestamp AT TIME ZONE time_zone, coalesce(sum(registers) FILTER (WHERE held_on = today), 0), "
    "coalesce(sum(missed) FILTER (WHERE held_on = today), 0), coalesce(sum(marks) FILTER (WHERE held_on = today), 0), "
    "coalesce(sum(missed) FILTER (WHERE told), 0), coalesce(sum(marks) FILTER (WHERE told), 0), "
    + "ARRAY["
    + ", ".join(
        "coalesce(round(percentile_cont(0.5) WITHIN GROUP (ORDER BY registers) "
        f"FILTER (WHERE extract(isodow FROM held_on) = {weekday} AND held_on < today)), 0)::int"
        for weekday in range(1, 8)
    )
    + "], 0 FROM (SELECT *, NOT (missed BETWEEN 1 AND 4 OR marks - missed BETWEEN 1 AND 4 OR marks BETWEEN 1 AND 4) AS told "
    "FROM day) d GROUP BY school_id, today, time_zone",
    "UPDATE attendance_schoolstanding SET usual_today = usual[extract(isodow FROM held_on)::int]",
    "ALTER TABLE attendance_schoolstanding FORCE ROW LEVEL SECURITY",
    "ALTER TABLE attendance_schoolday FORCE ROW LEVEL SECURITY",
]


class Migration(migrations.Migration):

    dependencies = [
        ('attendance', '0007_found_by_age'),
        ('tenancy', '0003_months'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuthorityDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('held_on', models.DateField()),
                ('missed', models.IntegerField()),
                ('marks', models.IntegerField()),
                ('authority', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.authority')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('authority', 'held_on'), name='attendance_authorityday_once')],
            },
        ),
        migrations.CreateModel(
            name='SchoolStanding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('held_on', models.DateField()),
                ('ends_at', models.DateTimeField()),
                ('registers', models.IntegerField(default=0)),
                ('usual_today', models.IntegerField(default=0)),
                ('missed', models.IntegerField(default=0)),
                ('marks', models.IntegerField(default=0)),
                ('window_missed', models.IntegerField(default=0)),
                ('window_marks', models.IntegerField(default=0)),
                ('usual', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=7)),
                ('authority', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.authority')),
                ('school', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school')),
            ],
            options={
                'indexes': [models.Index(fields=['authority'], name='attendance_schoolstanding_auth')],
                'constraints': [models.UniqueConstraint(fields=('school',), name='attendance_schoolstanding_once')],
            },
        ),
        Protect('SchoolStanding', also_read_by={'authority_id': 'authority'}, history=None),
        migrations.RunSQL(PROTECT, migrations.RunSQL.noop),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
