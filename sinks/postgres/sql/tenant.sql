-- Tenants. Newer wins.
INSERT INTO tenant AS t (
  tenant_id, version, name, kind, created_at
)
SELECT
  r.tenant_id, r.version, r.name, r.kind, instant(r.created_at)
FROM unnest(
  %(tenant_id)s::uuid[], %(version)s::bigint[], %(name)s::text[], %(kind)s::text[], %(created_at)s::bigint[]
) AS r (
  tenant_id, version, name, kind, created_at
)
ON CONFLICT (tenant_id) DO UPDATE SET
  version = excluded.version, name = excluded.name, kind = excluded.kind, created_at = excluded.created_at
WHERE excluded.version > t.version
