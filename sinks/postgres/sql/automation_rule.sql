-- Rules. Newer wins.
INSERT INTO automation_rule AS t (
  tenant_id, rule_id, version, project_id, project_key, name, kind, enabled, conditions, group_by,
  window_seconds, created_at, modified_at, deleted_at
)
SELECT
  r.tenant_id, r.rule_id, r.version, r.project_id, r.project_key, r.name, r.kind, r.enabled, r.conditions,
  ARRAY(SELECT jsonb_array_elements_text(r.group_by)), r.window_seconds, instant(r.created_at),
  instant(r.modified_at), instant(r.deleted_at)
FROM unnest(
  %(tenant_id)s::uuid[], %(rule_id)s::uuid[], %(version)s::bigint[], %(project_id)s::uuid[],
  %(project_key)s::text[], %(name)s::text[], %(kind)s::text[], %(enabled)s::boolean[], %(conditions)s::jsonb[],
  %(group_by)s::jsonb[], %(window_seconds)s::bigint[], %(created_at)s::bigint[], %(modified_at)s::bigint[],
  %(deleted_at)s::bigint[]
) AS r (
  tenant_id, rule_id, version, project_id, project_key, name, kind, enabled, conditions, group_by,
  window_seconds, created_at, modified_at, deleted_at
)
ON CONFLICT (tenant_id, rule_id) DO UPDATE SET
  version = excluded.version, project_id = excluded.project_id, project_key = excluded.project_key,
  name = excluded.name, kind = excluded.kind, enabled = excluded.enabled, conditions = excluded.conditions,
  group_by = excluded.group_by, window_seconds = excluded.window_seconds, created_at = excluded.created_at,
  modified_at = excluded.modified_at, deleted_at = excluded.deleted_at
WHERE excluded.version > t.version
