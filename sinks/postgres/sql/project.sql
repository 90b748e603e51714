-- Projects. Newer wins.
INSERT INTO project AS t (
  tenant_id, project_id, version, key, name, team_uuid, enabled_custom_case_types, restricted, settings,
  columns_config, created_at, modified_at, deleted_at
)
SELECT
  r.tenant_id, r.project_id, r.version, r.key, r.name, r.team_uuid,
  ARRAY(SELECT jsonb_array_elements_text(r.enabled_custom_case_types)), r.restricted, r.settings,
  r.columns_config, instant(r.created_at), instant(r.modified_at), instant(r.deleted_at)
FROM unnest(
  %(tenant_id)s::uuid[], %(project_id)s::uuid[], %(version)s::bigint[], %(key)s::text[], %(name)s::text[],
  %(team_uuid)s::text[], %(enabled_custom_case_types)s::jsonb[], %(restricted)s::boolean[],
  %(settings)s::jsonb[], %(columns_config)s::jsonb[], %(created_at)s::bigint[], %(modified_at)s::bigint[],
  %(deleted_at)s::bigint[]
) AS r (
  tenant_id, project_id, version, key, name, team_uuid, enabled_custom_case_types, restricted, settings,
  columns_config, created_at, modified_at, deleted_at
)
ON CONFLICT (tenant_id, project_id) DO UPDATE SET
  version = excluded.version, key = excluded.key, name = excluded.name, team_uuid = excluded.team_uuid,
  enabled_custom_case_types = excluded.enabled_custom_case_types, restricted = excluded.restricted,
  settings = excluded.settings, columns_config = excluded.columns_config, created_at = excluded.created_at,
  modified_at = excluded.modified_at, deleted_at = excluded.deleted_at
WHERE excluded.version > t.version
