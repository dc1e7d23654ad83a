from django.db import migrations

# What tenancy_keep_change() keeps of new rows, for all rows of a statement at once: a roster brings thousands, and a call
# for each costs five times as much. In plain SQL inside, so that columns added later are in it by themselves.
FUNCTION = """
CREATE FUNCTION tenancy_keep_inserts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO tenancy_change
        (school_id, table_name, row_id, subject_id, operation, changed_at, account_id, before, after)
    SELECT n.school_id, TG_TABLE_NAME, n.id,
           CASE WHEN TG_ARGV[0] = '' THEN NULL ELSE (n.whole ->> TG_ARGV[0])::bigint END,
           'I', clock_timestamp(),
           nullif(nullif(current_setting('pupitre.account', true), ''), '0')::bigint,
           NULL, n.whole
      FROM (SELECT r.school_id, r.id, to_jsonb(r) AS whole FROM new_rows r OFFSET 0) n;
    RETURN NULL;
END
$$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0003_months'),
    ]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION tenancy_keep_inserts()"),
    ]
