-- Every statement of the gateway, by its name. tests/house/test_statements.py prepares each against the migrated schema.

-- name: schools
-- Which authority a school is of, and its clock: public, as schools are.
SELECT id, authority_id, time_zone FROM tenancy_school;

-- name: targets_since
-- What policies say and was said after this revision.
SELECT level, whom, school_id, revision, document FROM devices_target WHERE revision > $1;

-- name: targets_sum
-- A cheap look whether what is held in memory is what is in the table.
SELECT count(*) AS number, coalesce(sum(revision), 0)::text AS total FROM devices_target;

-- name: applications
SELECT id, authority_id, school_id, package, name, platform, kind FROM devices_application WHERE archived_at IS NULL;

-- name: application_versions
-- Only whose the application is: what a school says of its authority's, or of another school's, is nobody's business.
SELECT v.id, v.application_id, v.version, v.code, v.file_key, v.size, v.sha256, v.url, v.withdrawn_at
  FROM devices_applicationversion v
  JOIN devices_application a ON a.id = v.application_id AND a.school_id IS NOT DISTINCT FROM v.school_id;

-- name: rollouts
SELECT r.id, r.version_id, r.previous_id, r.state, r.site_budget
  FROM devices_rollout r
  JOIN devices_applicationversion v ON v.id = r.version_id AND v.school_id IS NOT DISTINCT FROM r.school_id;

-- name: waves
SELECT w.rollout_id, w.number, w.schools, w.share, w.starts_at
  FROM devices_wave w JOIN devices_rollout r ON r.id = w.rollout_id AND r.school_id IS NOT DISTINCT FROM w.school_id;

-- name: catalogue_sum
-- Differs where a catalogue, a version or a rollout was changed.
SELECT (SELECT concat_ws('/', count(*), max(id), count(archived_at), max(archived_at)) FROM devices_application) || ' ' ||
       (SELECT concat_ws('/', count(*), max(id), count(withdrawn_at), max(withdrawn_at), max(sha256)) FROM devices_applicationversion)
       || ' ' || (SELECT coalesce(string_agg(concat_ws('/', id, state, site_budget, ended_at), ',' ORDER BY id), '') FROM devices_rollout)
       || ' ' || (SELECT concat_ws('/', count(*), max(id), sum(share), max(starts_at), min(starts_at)) FROM devices_wave) AS total;

-- name: sizes_of_schools
-- How many devices share a site's budget.
SELECT school_id, count(*) AS number FROM devices_device WHERE standing = 3 GROUP BY school_id;

-- name: devices_by_id
SELECT id, number, school_id, authority_id, groups, holder_id, platform, protocol, standing, public_key
  FROM devices_device WHERE id = ANY($1::bigint[]);

-- name: devices_by_number
SELECT id, number, school_id, authority_id, groups, holder_id, platform, protocol, standing, public_key
  FROM devices_device WHERE number = ANY($1::text[]);

-- name: active_commands
-- The devices that wait for a command, or have one that they did not answer yet.
SELECT DISTINCT device_id FROM devices_command WHERE state IN (2, 3);

-- name: active_commands_of_school
SELECT DISTINCT device_id FROM devices_command WHERE school_id = $1 AND state IN (2, 3);

-- name: has_active_commands
SELECT EXISTS (SELECT FROM devices_command
                WHERE school_id = $1 AND device_id = $2 AND state IN (2, 3) AND expires_at > $3);

-- name: hand_out_commands
-- The next commands of a device, oldest first; those that it did not answer come again after a pause.
UPDATE devices_command c SET state = 3, sent_at = $3, attempts = least(c.attempts + 1, 32000)
  FROM (SELECT n.id FROM devices_command n
         WHERE n.school_id = $1 AND n.device_id = $2 AND n.state IN (2, 3) AND n.not_before <= $3 AND n.expires_at > $3
           AND (n.state = 2 OR n.sent_at < $4)
         ORDER BY n.id LIMIT $5 FOR UPDATE SKIP LOCKED) chosen
 WHERE c.school_id = $1 AND c.id = chosen.id AND c.state IN (2, 3)
RETURNING c.id, c.verb, c.arguments, c.expires_at, c.attempts;

-- name: script
-- The text that a command names; its device's authority must be the script's.
SELECT text, platform FROM devices_script
 WHERE id = $1 AND authority_id = $2 AND (school_id IS NULL OR school_id = $3);

-- name: save_results
-- What devices answered. Only to a command of their own that still waits for an answer.
UPDATE devices_command c SET state = u.state, ended_at = $1, result = u.result::jsonb
  FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::text[]) u(school_id, device_id, id, state, result)
 WHERE c.school_id = u.school_id AND c.id = u.id AND c.device_id = u.device_id AND c.state IN (2, 3)
RETURNING c.id;

-- name: save_seen
-- Devices that said nothing new. The rows stay in their page: no indexed column changes but once a day.
UPDATE devices_devicestatus s
   SET last_seen_at = $1, seen_on = $2, battery = coalesce(u.battery, s.battery),
       is_charging = coalesce(u.is_charging, s.is_charging)
  FROM unnest($3::bigint[], $4::smallint[], $5::boolean[]) u(device_id, battery, is_charging)
 WHERE s.device_id = u.device_id;

-- name: save_status
-- Devices that said something new; what one does not mention stays as it was.
UPDATE devices_devicestatus s
   SET last_seen_at = $1, seen_on = $2, battery = coalesce(u.battery, s.battery),
       is_charging = coalesce(u.is_charging, s.is_charging), battery_health = coalesce(u.battery_health, s.battery_health),
       os_version = coalesce(u.os_version, s.os_version), agent_version = coalesce(u.agent_version, s.agent_version),
       storage_free = coalesce(u.storage_free, s.storage_free), address = coalesce(u.address, s.address),
       applied_at = CASE WHEN u.applied IS NULL OR u.applied = s.applied THEN s.applied_at ELSE $1 END,
       applied = coalesce(u.applied, s.applied), problems = coalesce(u.problems::jsonb, s.problems),
       is_compliant = coalesce(u.is_compliant, s.is_compliant)
  FROM unnest($3::bigint[], $4::smallint[], $5::boolean[], $6::smallint[], $7::text[], $8::text[], $9::bigint[], $10::text[],
              $11::text[], $12::text[], $13::boolean[])
       u(device_id, battery, is_charging, battery_health, os_version, agent_version, storage_free, address, applied, problems,
         is_compliant)
 WHERE s.device_id = u.device_id
RETURNING s.device_id;

-- name: make_statuses
-- For devices that pages admitted and that were never heard of.
INSERT INTO devices_devicestatus (school_id, authority_id, device_id, address, os_version, agent_version, applied, problems)
SELECT d.school_id, d.authority_id, d.id, '', '', '', '', '[]' FROM devices_device d WHERE d.id = ANY($1::bigint[]) ORDER BY d.id
ON CONFLICT (device_id) DO NOTHING;

-- name: save_installations
INSERT INTO devices_installation (school_id, authority_id, device_id, version, state, reported_at, message)
SELECT u.school_id, u.authority_id, u.device_id, u.version, u.state, $1, u.message
  FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[], $7::text[])
       u(school_id, authority_id, device_id, version, state, message)
 ORDER BY u.device_id, u.version
ON CONFLICT (school_id, device_id, version) DO UPDATE
   SET state = excluded.state, reported_at = excluded.reported_at, message = excluded.message;

-- name: inventory
SELECT applications, hardware, digest FROM devices_inventory WHERE device_id = $1 FOR UPDATE;

-- name: save_inventory
INSERT INTO devices_inventory (school_id, device_id, applications, hardware, digest, reported_at)
VALUES ($1, $2, $3::jsonb, $4::jsonb, $5, $6)
ON CONFLICT (device_id) DO UPDATE
   SET applications = excluded.applications, hardware = excluded.hardware, digest = excluded.digest,
       reported_at = excluded.reported_at;

-- name: save_log_lines
INSERT INTO devices_logline (school_id, device_id, logged_at, level, package, message)
SELECT $1, $2, u.logged_at, u.level, u.package, u.message
  FROM unnest($3::timestamptz[], $4::smallint[], $5::text[], $6::text[]) u(logged_at, level, package, message);

-- name: ticket
SELECT t.id, t.school_id, t.authority_id, t.platform, t.class_id, t.admits_unknown,
       t.uses_left > 0 AND t.revoked_at IS NULL AND t.expires_at > $2 AS is_valid
  FROM devices_enrolmentticket t WHERE t.digest = $1;

-- name: use_ticket
-- Once more; nothing where it is used up, revoked or has ended in the meantime.
UPDATE devices_enrolmentticket SET uses_left = uses_left - 1
 WHERE id = $1 AND uses_left > 0 AND revoked_at IS NULL AND expires_at > $2
RETURNING uses_left;

-- name: device_of_number
SELECT id, school_id, standing, public_key FROM devices_device WHERE number = $1 FOR UPDATE;

-- name: device_of_serial
SELECT id, number, standing, protocol, public_key FROM devices_device
 WHERE school_id = $1 AND serial = $2 AND serial <> '' FOR UPDATE;

-- name: enrol_new
-- A device that nobody expected, with its status and the first line of its history.
WITH new_device AS (
  INSERT INTO devices_device (school_id, authority_id, number, serial, imei, asset_tag, name, platform, protocol, maker, model,
                              standing, condition, class_id, groups, public_key, ticket_id, created_at, enrolled_at, search_key, notes)
  VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8, $9, $10, $11::smallint, 1, $12::bigint, CASE WHEN $12::bigint IS NULL THEN '{}' ELSE ARRAY[$12::bigint] END,
          $13, $14, $15::timestamptz, CASE WHEN $11::smallint = 3 THEN $15::timestamptz END, $16, '')
  RETURNING id, school_id, authority_id
), status AS (
  INSERT INTO devices_devicestatus (school_id, authority_id, device_id, last_seen_at, seen_on, address, os_version, agent_version, applied, problems)
  SELECT school_id, authority_id, id, $15::timestamptz, ($15::timestamptz AT TIME ZONE 'UTC')::date, $17, $18, $19, '', '[]' FROM new_device
), event AS (
  INSERT INTO devices_deviceevent (school_id, device_id, happened_at, kind, facts)
  SELECT school_id, id, $15::timestamptz, $20, $21::jsonb FROM new_device
)
SELECT id FROM new_device;

-- name: enrol_known
-- A device that is on a list already: it comes in under its own number, and keeps who has it.
WITH known AS (
  UPDATE devices_device d
     SET number = $3, platform = $4, protocol = $5, maker = CASE WHEN $6::text = '' THEN d.maker ELSE $6::text END,
         model = CASE WHEN $7::text = '' THEN d.model ELSE $7::text END, name = CASE WHEN d.name = '' THEN $8::text ELSE d.name END,
         standing = $9::smallint, class_id = coalesce(d.class_id, $10::bigint),
         groups = CASE WHEN $10::bigint IS NULL OR $10::bigint = ANY(d.groups) THEN d.groups ELSE d.groups || $10::bigint END,
         public_key = $11, ticket_id = $12, enrolled_at = CASE WHEN $9::smallint = 3 THEN coalesce(d.enrolled_at, $13::timestamptz) END, retired_at = NULL
   WHERE d.school_id = $1 AND d.id = $2
  RETURNING id, school_id, authority_id
), status AS (
  INSERT INTO devices_devicestatus (school_id, authority_id, device_id, last_seen_at, seen_on, address, os_version, agent_version, applied, problems)
  SELECT school_id, authority_id, id, $13::timestamptz, ($13::timestamptz AT TIME ZONE 'UTC')::date, $14, $15, $16, '', '[]' FROM known
  ON CONFLICT (device_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, seen_on = excluded.seen_on,
     address = excluded.address, os_version = excluded.os_version, agent_version = excluded.agent_version, applied = ''
), event AS (
  INSERT INTO devices_deviceevent (school_id, device_id, happened_at, kind, facts)
  SELECT school_id, id, $13::timestamptz, $17, $18::jsonb FROM known
)
SELECT id FROM known;

-- Headwind's agent keeps no list of commands, reports no difference, and must be told what to set free.

-- name: headwind_alias
-- A device that calls itself by its serial number or IMEI; only where that is one device's.
SELECT id, number, school_id, standing, protocol, serial FROM devices_device
 WHERE authority_id = ANY($1::bigint[]) AND serial = $2
 UNION
SELECT id, number, school_id, standing, protocol, serial FROM devices_device
 WHERE authority_id = ANY($1::bigint[]) AND imei = $3 AND imei <> ''
 LIMIT 2;

-- name: headwind_known
-- What is remembered of devices, and the newest lock or unlock that each was given, done or not.
SELECT d.school_id, d.device_id, coalesce(i.applications, '{}') AS applications, coalesce(i.hardware, '{}') AS hardware,
       coalesce(i.digest, '') AS digest, l.id AS lock_id, l.verb AS lock_verb, l.arguments AS lock_arguments
  FROM unnest($1::bigint[], $2::bigint[]) d(school_id, device_id)
  LEFT JOIN devices_inventory i ON i.school_id = d.school_id AND i.device_id = d.device_id
  LEFT JOIN LATERAL (
       SELECT c.id, c.verb, c.arguments FROM devices_command c
        WHERE c.school_id = d.school_id AND c.device_id = d.device_id AND c.verb IN (1, 8)
          AND (c.state = 4 OR (c.state IN (2, 3) AND c.not_before <= $3 AND c.expires_at > $3))
        ORDER BY c.created_at DESC, c.id DESC LIMIT 1) l ON true;

-- name: headwind_due
-- What the device shall carry out now, handed out or not: a configuration repeats it until it is proved.
UPDATE devices_command c
   SET state = 3, sent_at = CASE WHEN c.state = 2 OR c.sent_at < $4 THEN $3 ELSE c.sent_at END,
       attempts = CASE WHEN c.state = 2 OR c.sent_at < $4 THEN least(c.attempts + 1, 32000) ELSE c.attempts END
 WHERE c.school_id = $1 AND c.device_id = $2 AND c.state IN (2, 3) AND c.not_before <= $3 AND c.expires_at > $3
   AND c.verb = ANY($5::smallint[])
RETURNING c.id, c.verb, c.arguments;

-- name: headwind_waits
-- Whether something waits that a device was not told lately.
SELECT c.id, c.verb FROM devices_command c
 WHERE c.school_id = $1 AND c.device_id = $2 AND c.state IN (2, 3) AND c.not_before <= $3 AND c.expires_at > $3
   AND (c.state = 2 OR c.sent_at < $4) ORDER BY c.id LIMIT 20;

-- name: headwind_sent
-- What was handed out and not proved yet.
SELECT c.id, c.verb, c.arguments FROM devices_command c
 WHERE c.school_id = $1 AND c.device_id = $2 AND c.state = 3 ORDER BY c.id LIMIT 50;

-- name: headwind_message
SELECT c.arguments, c.state FROM devices_command c
 WHERE c.school_id = $1 AND c.device_id = $2 AND c.id = $3 AND c.verb = 4;

-- name: headwind_locked
-- What was ever locked on a device. Grows only, and seldom.
INSERT INTO devices_inventory (school_id, device_id, applications, hardware, digest, reported_at)
VALUES ($1, $2, '{}', jsonb_build_object('headwind_locked', to_jsonb($3::text[])), '', $4)
ON CONFLICT (device_id) DO UPDATE SET hardware = devices_inventory.hardware || jsonb_build_object('headwind_locked',
   (SELECT jsonb_agg(DISTINCT p) FROM (
      SELECT jsonb_array_elements_text(coalesce(devices_inventory.hardware -> 'headwind_locked', '[]')) AS p
       UNION SELECT unnest($3::text[])) every));

-- name: headwind_inventories
-- What devices report of applications and files. Untouched where it is what is kept already.
INSERT INTO devices_inventory (school_id, device_id, applications, hardware, digest, reported_at)
SELECT u.school_id, u.device_id, u.applications::jsonb, u.hardware::jsonb, u.digest, $1
  FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[]) u(school_id, device_id, applications, hardware, digest)
ON CONFLICT (device_id) DO UPDATE
   SET applications = excluded.applications, hardware = devices_inventory.hardware || excluded.hardware, digest = excluded.digest,
       reported_at = excluded.reported_at
 WHERE devices_inventory.digest <> excluded.digest
RETURNING device_id;

-- name: headwind_models
-- What the lists of deliveries did not say.
UPDATE devices_device d SET model = u.model FROM unnest($2::bigint[], $3::text[]) u(id, model)
 WHERE d.school_id = $1 AND d.id = u.id AND d.model = '';

-- name: headwind_hand_out
UPDATE devices_command c SET state = 3, sent_at = $4, attempts = least(c.attempts + 1, 32000)
 WHERE c.school_id = $1 AND c.device_id = $2 AND c.id = $3 AND c.state IN (2, 3);

-- name: headwind_targets
-- To whom policies say something since.
SELECT level, whom, revision FROM devices_target WHERE revision > $1;

-- name: headwind_newest
SELECT coalesce(max(revision), 0) FROM devices_target;

-- name: headwind_concerned
-- The devices of that protocol whom something concerns, in an order in which neighbours do not come together.
SELECT number, school_id FROM devices_device
 WHERE protocol = 1 AND standing IN (2, 3)
   AND (authority_id = ANY($1::bigint[]) OR school_id = ANY($2::bigint[]) OR groups && $3::bigint[] OR holder_id = ANY($4::bigint[])
        OR id = ANY($5::bigint[]))
 ORDER BY hashint8(id);

-- name: headwind_lock
-- Whether this connection is the one whose process publishes.
SELECT pg_try_advisory_lock($1::bigint);
