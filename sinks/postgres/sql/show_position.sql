-- Everything before these positions can be found. Never back, and never beyond what is stored: somebody may have set
-- that back meanwhile, to have the topic read again.
UPDATE projection_offset AS t
SET visible_next_offset = r.next_offset
FROM unnest(%(partition)s::integer[], %(next_offset)s::bigint[]) AS r (partition, next_offset)
WHERE t.sink = %(sink)s::text AND t.topic = %(topic)s::text AND t.generation = %(generation)s::integer
  AND t.partition = r.partition AND t.next_offset >= r.next_offset
  AND coalesce(t.visible_next_offset, 0) < r.next_offset
