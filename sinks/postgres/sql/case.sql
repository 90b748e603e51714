-- Cases. Newer wins: an event that comes again never moves a row back.
INSERT INTO "case" AS t (
  tenant_id, case_id, version, project_id, project_key, number, key, type_id, title, description, status,
  status_name, priority, assignee_id, attributes, resolved_reason, due_date, created_at, created_by,
  modified_at, modified_by, closed_at, archived_at, alerts, group_key, comments, state_hash
)
SELECT
  r.tenant_id, r.case_id, r.version, r.project_id, r.project_key, r.number, r.key, r.type_id, r.title,
  r.description, r.status, r.status_name, r.priority, r.assignee_id, r.attributes, r.resolved_reason,
  r.due_date, instant(r.created_at), r.created_by, instant(r.modified_at), r.modified_by, instant(r.closed_at),
  instant(r.archived_at), r.alerts, r.group_key, r.comments, r.state_hash
FROM unnest(
  %(tenant_id)s::uuid[], %(case_id)s::uuid[], %(version)s::bigint[], %(project_id)s::uuid[],
  %(project_key)s::text[], %(number)s::bigint[], %(key)s::text[], %(type_id)s::uuid[], %(title)s::text[],
  %(description)s::text[], %(status)s::text[], %(status_name)s::text[], %(priority)s::text[],
  %(assignee_id)s::text[], %(attributes)s::jsonb[], %(resolved_reason)s::text[], %(due_date)s::text[],
  %(created_at)s::bigint[], %(created_by)s::text[], %(modified_at)s::bigint[], %(modified_by)s::text[],
  %(closed_at)s::bigint[], %(archived_at)s::bigint[], %(alerts)s::jsonb[], %(group_key)s::text[],
  %(comments)s::bigint[], %(state_hash)s::bytea[]
) AS r (
  tenant_id, case_id, version, project_id, project_key, number, key, type_id, title, description, status,
  status_name, priority, assignee_id, attributes, resolved_reason, due_date, created_at, created_by,
  modified_at, modified_by, closed_at, archived_at, alerts, group_key, comments, state_hash
)
ON CONFLICT (tenant_id, case_id) DO UPDATE SET
  version = excluded.version, project_id = excluded.project_id, project_key = excluded.project_key,
  number = excluded.number, key = excluded.key, type_id = excluded.type_id, title = excluded.title,
  description = excluded.description, status = excluded.status, status_name = excluded.status_name,
  priority = excluded.priority, assignee_id = excluded.assignee_id, attributes = excluded.attributes,
  resolved_reason = excluded.resolved_reason, due_date = excluded.due_date, created_at = excluded.created_at,
  created_by = excluded.created_by, modified_at = excluded.modified_at, modified_by = excluded.modified_by,
  closed_at = excluded.closed_at, archived_at = excluded.archived_at, alerts = excluded.alerts,
  group_key = excluded.group_key, comments = excluded.comments, state_hash = excluded.state_hash
WHERE excluded.version > t.version
