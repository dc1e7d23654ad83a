-- One function keeps the history of every protected table. It runs with the owner's rights, because the
-- application's role may read the history but not write it. TG_ARGV[0] names the column of the person concerned.
CREATE OR REPLACE FUNCTION tenancy_keep_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE to_jsonb(NEW) END;
    whole jsonb := coalesce(new_row, old_row);
    was jsonb;
    becomes jsonb;
BEGIN
    -- What the retention job deletes must not live on in the history. It may pass by only what is older than a year, in
    -- the tables whose rows it deletes.
    IF TG_OP = 'DELETE' AND current_setting('pupitre.forgetting', true) = 'on'
       AND TG_TABLE_NAME IN ('attendance_register', 'attendance_mark', 'attendance_absencenotice',
                             'attendance_absenceletter', 'messaging_notice', 'timetable_substitution')
       AND coalesce(old_row ->> 'held_on', old_row ->> 'ends_at', old_row ->> 'published_at', old_row ->> 'created_at')::date
           < current_date - 365 THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, new_row -> o.key)
          INTO was, becomes
          FROM jsonb_each(old_row) o
         WHERE o.value IS DISTINCT FROM new_row -> o.key;
        IF was IS NULL THEN
            RETURN NULL;
        END IF;
    ELSE
        was := old_row;
        becomes := new_row;
    END IF;
    INSERT INTO tenancy_change
        (school_id, table_name, row_id, subject_id, operation, changed_at, account_id, before, after)
    VALUES
        ((whole ->> 'school_id')::bigint, TG_TABLE_NAME, (whole ->> 'id')::bigint,
         CASE WHEN TG_ARGV[0] = '' THEN NULL ELSE (whole ->> TG_ARGV[0])::bigint END,
         left(TG_OP, 1), clock_timestamp(),
         nullif(nullif(current_setting('pupitre.account', true), ''), '0')::bigint,
         was, becomes);
    RETURN NULL;
END
$$;
