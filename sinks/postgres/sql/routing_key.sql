-- Routing keys. Newer wins.
INSERT INTO routing_key AS t (
  tenant_id, routing_id, version, digest, project_id, project_key, created_at, revoked_at
)
SELECT
  r.tenant_id, r.routing_id, r.version, r.digest, r.project_id, r.project_key, instant(r.created_at),
  instant(r.revoked_at)
FROM unnest(
  %(tenant_id)s::uuid[], %(routing_id)s::uuid[], %(version)s::bigint[], %(digest)s::text[],
  %(project_id)s::uuid[], %(project_key)s::text[], %(created_at)s::bigint[], %(revoked_at)s::bigint[]
) AS r (
  tenant_id, routing_id, version, digest, project_id, project_key, created_at, revoked_at
)
ON CONFLICT (tenant_id, routing_id) DO UPDATE SET
  version = excluded.version, digest = excluded.digest, project_id = excluded.project_id,
  project_key = excluded.project_key, created_at = excluded.created_at, revoked_at = excluded.revoked_at
WHERE excluded.version > t.version
