-- A partition that this sink has never read, or whose topic was made anew, begins: 0 says that nothing is applied. Waits
-- for whoever is writing at this moment.
INSERT INTO projection_offset AS t (sink, topic, partition, generation, next_offset)
SELECT %(sink)s::text, %(topic)s::text, r.partition, %(generation)s::integer, 0
FROM unnest(%(partition)s::integer[]) AS r (partition)
ORDER BY r.partition
ON CONFLICT (sink, topic, partition) DO UPDATE SET
  generation = excluded.generation, next_offset = 0, visible_next_offset = NULL
WHERE t.generation < excluded.generation
