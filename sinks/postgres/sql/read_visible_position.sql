-- How far a sink is whose store shows what was written later, and how far that is shown: 0 where nothing is.
SELECT partition, generation, next_offset, coalesce(visible_next_offset, 0)
FROM projection_offset
WHERE sink = %(sink)s::text AND topic = %(topic)s::text AND partition = ANY (%(partition)s::integer[])
