-- Alerts. Newer wins.
INSERT INTO alert AS t (
  tenant_id, alert_id, version, project_key, status, episode, triggers, opened_at, changed_at
)
SELECT
  r.tenant_id, r.alert_id, r.version, r.project_key, r.status, r.episode, r.triggers, instant(r.opened_at),
  instant(r.changed_at)
FROM unnest(
  %(tenant_id)s::uuid[], %(alert_id)s::text[], %(version)s::bigint[], %(project_key)s::text[],
  %(status)s::text[], %(episode)s::bigint[], %(triggers)s::bigint[], %(opened_at)s::bigint[],
  %(changed_at)s::bigint[]
) AS r (
  tenant_id, alert_id, version, project_key, status, episode, triggers, opened_at, changed_at
)
ON CONFLICT (tenant_id, alert_id) DO UPDATE SET
  version = excluded.version, project_key = excluded.project_key, status = excluded.status,
  episode = excluded.episode, triggers = excluded.triggers, opened_at = excluded.opened_at,
  changed_at = excluded.changed_at
WHERE excluded.version > t.version
