-- Cases as they were. A version is written once: it says the same whenever its event comes again.
INSERT INTO case_version (tenant_id, case_id, version, occurred_at, state)
SELECT r.tenant_id, r.case_id, r.version, instant(r.occurred_at), r.state
FROM unnest(
  %(tenant_id)s::uuid[], %(case_id)s::uuid[], %(version)s::bigint[], %(occurred_at)s::bigint[], %(state)s::bytea[]
) AS r (tenant_id, case_id, version, occurred_at, state)
ON CONFLICT DO NOTHING
