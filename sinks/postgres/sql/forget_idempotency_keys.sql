-- Idempotency keys that are over. Some at a time, and none that somebody else is deleting.
DELETE FROM idempotency_key
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM idempotency_key
  WHERE created_at < now() - interval '24 hours'
  ORDER BY created_at
  LIMIT %(limit)s::integer
  FOR UPDATE SKIP LOCKED
))
