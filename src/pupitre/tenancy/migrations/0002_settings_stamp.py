import uuid

from django.db import migrations, models

# With the owner's rights: the application's role may not write schools.
FUNCTION = """
CREATE FUNCTION tenancy_stamp_settings() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE tenancy_school SET settings_stamp = gen_random_uuid()
     WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.school_id ELSE NEW.school_id END;
    RETURN NULL;
END
$$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='school',
            name='settings_stamp',
            field=models.UUIDField(default=uuid.uuid4, editable=False),
        ),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION tenancy_stamp_settings()"),
    ]
