from django.db import migrations

from pupitre.tenancy.protection import ByMonth

# With the owner's rights, for the application may neither make tables nor delete of the past. What these functions let it
# do is bounded: they touch tables by month alone, and drop no month of which a row may be younger than a year.
MAKE_MONTHS = """
CREATE FUNCTION tenancy_make_months(kept text, first date, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' SET lock_timeout = '2s' AS $$
DECLARE
    by_column text := (SELECT a.attname FROM pg_partitioned_table p JOIN pg_attribute a
                           ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
                        WHERE p.partrelid = to_regclass(quote_ident(kept)) AND p.partstrat = 'r');
    rest text := kept || '_rest';
    begins date;
    ends date;
    fresh text;
    has_rest boolean;
    is_left boolean;
    made integer := 0;
BEGIN
    IF by_column IS NULL OR months NOT BETWEEN 1 AND 600 THEN
        RAISE EXCEPTION '% is not kept by months', kept;
    END IF;
    FOR number IN 0 .. months - 1 LOOP
        begins := date_trunc('month', first) + make_interval(months => number);
        ends := begins + interval '1 month';
        fresh := kept || to_char(begins, '_YYYY_MM');
        -- A month that lies within what there was before is there already.
        CONTINUE WHEN to_regclass(quote_ident(fresh)) IS NOT NULL OR begins < (
            SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM $q$TO \\('([^']+)'\\)$q$)::timestamptz
              FROM pg_class c WHERE c.oid = to_regclass(quote_ident(kept || '_before')));
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', fresh, kept);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', fresh);
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC', fresh);
        -- What came before its month was made waits in the rest, and moves.
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE %I >= %L AND %I < %L)',
                       rest, by_column, begins, by_column, ends) INTO has_rest;
        IF has_rest THEN
            EXECUTE format('CREATE TABLE %I (LIKE %I)', fresh || '_moving', kept);
            EXECUTE format('WITH gone AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO %I SELECT * FROM gone',
                           rest, by_column, begins, by_column, ends, fresh || '_moving');
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', rest) INTO STRICT is_left;
            IF NOT is_left THEN
                EXECUTE format('TRUNCATE %I', rest);
            END IF;
        END IF;
        -- ATTACH lets the table be read and written meanwhile; CREATE TABLE ... PARTITION OF would not.
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', kept, fresh, begins, ends);
        IF has_rest THEN
            EXECUTE format('INSERT INTO %I SELECT * FROM %I', fresh, fresh || '_moving');
            EXECUTE format('DROP TABLE %I', fresh || '_moving');
        END IF;
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$
"""
FORGET_MONTH = """
CREATE FUNCTION tenancy_forget_month(kept text, older_than timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' SET lock_timeout = '1s' AS $$
DECLARE
    gone text;
BEGIN
    IF older_than > now() - interval '1 year' THEN
        RAISE EXCEPTION 'nothing younger than a year is forgotten';
    END IF;
    SELECT c.oid::regclass::text INTO gone FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = (SELECT partrelid FROM pg_partitioned_table WHERE partrelid = to_regclass(quote_ident(kept)))
       AND substring(pg_get_expr(c.relpartbound, c.oid) FROM $q$TO \\('([^']+)'\\)$q$)::timestamptz <= older_than
     ORDER BY c.relname DESC LIMIT 1;
    IF gone IS NOT NULL THEN
        EXECUTE format('DROP TABLE %s', gone);
    END IF;
    RETURN gone;
END
$$
"""
# Turns a table into one by months: the table becomes the first partition, nothing is copied. Its key and indexes stay, its
# policies move to the new parent. For migrations; the application may not call it.
KEEP_BY_MONTH = """
CREATE FUNCTION tenancy_keep_by_month(kept text, by_column text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    before_it text := kept || '_before';
    rest text := kept || '_rest';
    numbers text := pg_get_serial_sequence(kept, 'id');
    making text[];
    policies text[];
    grants text[];
    one record;
    ends date := date_trunc('month', now()) + interval '1 month';
    has_rows boolean;
    statement text;
BEGIN
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', kept);
    SELECT array_agg(pg_get_indexdef(i.indexrelid)) INTO making FROM pg_index i
     WHERE i.indrelid = kept::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u'));
    SELECT making || array_agg(format('ALTER TABLE %I ADD CONSTRAINT %I %s', kept, conname, pg_get_constraintdef(oid)))
      INTO making FROM pg_constraint WHERE conrelid = kept::regclass AND contype = 'f';
    SELECT array_agg(format('CREATE POLICY %I ON %I FOR %s USING (%s) %s', policyname, kept, cmd, qual,
                            'WITH CHECK (' || with_check || ')'))
      INTO policies FROM pg_policies WHERE schemaname = 'public' AND tablename = kept;
    -- Who used the table uses the new one, from the same moment on.
    SELECT array_agg(format('GRANT %s ON %I TO %s', a.privilege_type, kept, a.grantee::regrole::text)) INTO grants
      FROM pg_class c, aclexplode(c.relacl) a
     WHERE c.oid = kept::regclass AND a.grantee <> 0 AND a.grantee <> c.relowner;

    EXECUTE format('ALTER TABLE %I RENAME TO %I', kept, before_it);
    FOR one IN SELECT i.indexrelid::regclass AS name, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                WHERE i.indrelid = before_it::regclass
                  AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u')) LOOP
        EXECUTE format('ALTER INDEX %s RENAME TO %I', one.name, left(one.relname, 56) || '_before');
    END LOOP;
    FOR one IN SELECT conname FROM pg_constraint WHERE conrelid = before_it::regclass AND contype IN ('p', 'u') LOOP
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', before_it, one.conname);
    END LOOP;
    FOR one IN SELECT policyname FROM pg_policies WHERE schemaname = 'public' AND tablename = before_it LOOP
        EXECUTE format('DROP POLICY %I ON %I', one.policyname, before_it);
    END LOOP;
    EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', before_it);
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (id, %I)', before_it, by_column);

    EXECUTE format('CREATE SEQUENCE %I', kept || '_numbers');
    EXECUTE format('SELECT setval(%L, nextval(%L))', kept || '_numbers', numbers);
    EXECUTE format('ALTER TABLE %I ALTER id DROP IDENTITY', before_it);
    EXECUTE format('ALTER SEQUENCE %I RENAME TO %I', kept || '_numbers', kept || '_id_seq');
    EXECUTE format('CREATE TABLE %I (LIKE %I) PARTITION BY RANGE (%I)', kept, before_it, by_column);
    EXECUTE format('ALTER TABLE %I ALTER id SET DEFAULT nextval(%L)', kept, kept || '_id_seq');
    EXECUTE format('ALTER TABLE %I ALTER id SET DEFAULT nextval(%L)', before_it, kept || '_id_seq');
    EXECUTE format('ALTER SEQUENCE %I OWNED BY %I.id', kept || '_id_seq', kept);
    EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (id, %I)', kept, by_column);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', kept);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', kept);
    FOREACH statement IN ARRAY coalesce(making, '{}') || coalesce(policies, '{}') || coalesce(grants, '{}') LOOP
        EXECUTE statement;
    END LOOP;
    FOR one IN SELECT DISTINCT a.grantee::regrole::text AS name FROM pg_class c, aclexplode(c.relacl) a
                WHERE c.oid = kept::regclass AND a.grantee <> 0 AND a.grantee <> c.relowner AND a.privilege_type = 'INSERT' LOOP
        EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %I TO %s', kept || '_id_seq', one.name);
    END LOOP;

    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', before_it) INTO has_rows;
    IF NOT has_rows THEN
        ends := ends - interval '4 months';
    END IF;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', kept, before_it, ends);
    EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', rest, kept);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', rest);
    FOR one IN SELECT DISTINCT a.grantee::regrole::text AS name, p.relname FROM pg_class p, aclexplode(p.relacl) a
                WHERE p.relname IN (before_it, rest) AND a.grantee <> 0 AND a.grantee <> p.relowner LOOP
        EXECUTE format('REVOKE ALL ON %I FROM %s', one.relname, one.name);
    END LOOP;
    PERFORM tenancy_make_months(kept, ends, CASE WHEN has_rows THEN 3 ELSE 7 END);
END
$$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('tenancy', '0002_settings_stamp'),
    ]

    operations = [
        migrations.RunSQL(MAKE_MONTHS),
        migrations.RunSQL(FORGET_MONTH),
        migrations.RunSQL(KEEP_BY_MONTH),
        ByMonth('Change', 'changed_at'),
    ]
