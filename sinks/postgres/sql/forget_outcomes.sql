-- Answers that nobody waits for any more. Some at a time, and none that somebody else is deleting.
DELETE FROM command_outcome
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM command_outcome
  WHERE settled_at < now() - interval '24 hours'
  ORDER BY settled_at
  LIMIT %(limit)s::integer
  FOR UPDATE SKIP LOCKED
))
