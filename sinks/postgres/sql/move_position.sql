-- The fence. Locks the positions and moves those that are where they are expected; whoever expects another moves fewer
-- rows than he named, and must undo it all.
UPDATE projection_offset AS t
SET next_offset = r.next_offset
FROM unnest(%(partition)s::integer[], %(expected)s::bigint[], %(next_offset)s::bigint[])
  AS r (partition, expected, next_offset)
WHERE t.sink = %(sink)s::text AND t.topic = %(topic)s::text AND t.generation = %(generation)s::integer
  AND t.partition = r.partition AND t.next_offset = r.expected
