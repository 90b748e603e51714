-- Credentials. Newer wins.
INSERT INTO credential AS t (
  tenant_id, credential_id, version, kind, digest, owner, name, created_at, revoked_at
)
SELECT
  r.tenant_id, r.credential_id, r.version, r.kind, r.digest, r.owner, r.name, instant(r.created_at),
  instant(r.revoked_at)
FROM unnest(
  %(tenant_id)s::uuid[], %(credential_id)s::uuid[], %(version)s::bigint[], %(kind)s::text[],
  %(digest)s::text[], %(owner)s::text[], %(name)s::text[], %(created_at)s::bigint[], %(revoked_at)s::bigint[]
) AS r (
  tenant_id, credential_id, version, kind, digest, owner, name, created_at, revoked_at
)
ON CONFLICT (tenant_id, credential_id) DO UPDATE SET
  version = excluded.version, kind = excluded.kind, digest = excluded.digest, owner = excluded.owner,
  name = excluded.name, created_at = excluded.created_at, revoked_at = excluded.revoked_at
WHERE excluded.version > t.version
