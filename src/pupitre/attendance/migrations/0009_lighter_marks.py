import django.db.models.deletion
from django.db import migrations, models

# Nothing refers to a mark or a revision, so the key that references within a school need only costs each save.
UNREFERRED = """
ALTER TABLE attendance_mark DROP CONSTRAINT attendance_mark_tenant;
ALTER TABLE attendance_markrevision DROP CONSTRAINT attendance_markrevision_tenant
"""
REFERRED = """
ALTER TABLE attendance_mark ADD CONSTRAINT attendance_mark_tenant UNIQUE (school_id, id);
ALTER TABLE attendance_markrevision ADD CONSTRAINT attendance_markrevision_tenant UNIQUE (school_id, id)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('attendance', '0008_standings'),
        ('tenancy', '0005_upkeep'),
    ]

    operations = [
        migrations.AlterField(
            model_name='mark',
            name='school',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school'),
        ),
        migrations.AlterField(
            model_name='markrevision',
            name='school',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.school'),
        ),
        migrations.RunSQL(UNREFERRED, REFERRED),
    ]
