-- How far this sink is in these partitions.
SELECT partition, generation, next_offset
FROM projection_offset
WHERE sink = %(sink)s::text AND topic = %(topic)s::text AND partition = ANY (%(partition)s::integer[])
