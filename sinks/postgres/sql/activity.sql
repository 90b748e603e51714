-- What happened to cases. An event is written once: it says the same whenever it comes again.
INSERT INTO activity (
  tenant_id, case_id, version, event_id, kind, actor, occurred_at, change, generation, partition, "offset",
  correlation_id
)
SELECT
  r.tenant_id, r.case_id, r.version, r.event_id, r.kind, r.actor, instant(r.occurred_at), r.change,
  r.generation, r.partition, r."offset", r.correlation_id
FROM unnest(
  %(tenant_id)s::uuid[], %(case_id)s::uuid[], %(version)s::bigint[], %(event_id)s::uuid[], %(kind)s::text[],
  %(actor)s::text[], %(occurred_at)s::bigint[], %(change)s::jsonb[], %(generation)s::integer[],
  %(partition)s::integer[], %(offset)s::bigint[], %(correlation_id)s::uuid[]
) AS r (
  tenant_id, case_id, version, event_id, kind, actor, occurred_at, change, generation, partition, "offset",
  correlation_id
)
ON CONFLICT DO NOTHING
