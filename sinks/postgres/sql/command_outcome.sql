-- What became of commands. Written once: the first answer in the log counts.
INSERT INTO command_outcome (
  tenant_id, command_id, verdict, code, detail, field, aggregate_id, version, topic, partition, "offset",
  settled_at
)
SELECT
  r.tenant_id, r.command_id, r.verdict, r.code, r.detail, r.field, r.aggregate_id, r.version, r.topic,
  r.partition, r."offset", instant(r.settled_at)
FROM unnest(
  %(tenant_id)s::uuid[], %(command_id)s::uuid[], %(verdict)s::text[], %(code)s::text[], %(detail)s::text[],
  %(field)s::text[], %(aggregate_id)s::text[], %(version)s::bigint[], %(topic)s::text[],
  %(partition)s::integer[], %(offset)s::bigint[], %(settled_at)s::bigint[]
) AS r (
  tenant_id, command_id, verdict, code, detail, field, aggregate_id, version, topic, partition, "offset",
  settled_at
)
ON CONFLICT DO NOTHING
