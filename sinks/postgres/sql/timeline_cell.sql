-- Cells. A row joins what any of its events know, in whatever order they come: the words of the newest event that has
-- words; author and creation of the one that added it, empty and the first that is known until that one is seen; a
-- deletion for good.
INSERT INTO timeline_cell AS t (
  tenant_id, case_id, cell_id, version, message_version, type, author, message, created_at, modified_at, deleted_at
)
SELECT
  r.tenant_id, r.case_id, r.cell_id, r.version, r.message_version, 'COMMENT', coalesce(r.author, ''),
  coalesce(r.message, ''), instant(coalesce(r.created_at, r.modified_at, r.deleted_at)), instant(r.modified_at),
  instant(r.deleted_at)
FROM unnest(
  %(tenant_id)s::uuid[], %(case_id)s::uuid[], %(cell_id)s::uuid[], %(version)s::bigint[],
  %(message_version)s::bigint[], %(author)s::text[], %(message)s::text[], %(created_at)s::bigint[],
  %(modified_at)s::bigint[], %(deleted_at)s::bigint[]
) AS r (
  tenant_id, case_id, cell_id, version, message_version, author, message, created_at, modified_at, deleted_at
)
ON CONFLICT (tenant_id, case_id, cell_id) DO UPDATE SET
  version = greatest(t.version, excluded.version),
  message_version = greatest(t.message_version, excluded.message_version),
  author = CASE WHEN t.author = '' THEN excluded.author ELSE t.author END,
  message = CASE WHEN excluded.message_version > t.message_version THEN excluded.message ELSE t.message END,
  created_at = least(t.created_at, excluded.created_at),
  modified_at = CASE WHEN excluded.message_version > t.message_version THEN excluded.modified_at ELSE t.modified_at END,
  deleted_at = coalesce(t.deleted_at, excluded.deleted_at)
WHERE excluded.version > t.version OR excluded.message_version > t.message_version OR t.author = ''
