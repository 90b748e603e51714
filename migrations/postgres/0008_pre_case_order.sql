-- Pages of the unfiltered list: cases that are not archived, by urgency and by progress. A query uses these indexes where
-- it writes the expressions in these words (sinks/postgres/reads.py).

CREATE INDEX case_listed ON "case" (tenant_id, created_at DESC, case_id DESC) WHERE archived_at IS NULL;
CREATE INDEX case_by_priority ON "case" (
  tenant_id,
  (CASE priority WHEN 'P1' THEN 1 WHEN 'P2' THEN 2 WHEN 'P3' THEN 3 WHEN 'P4' THEN 4 WHEN 'P5' THEN 5 ELSE 6 END),
  created_at DESC,
  case_id DESC
) WHERE archived_at IS NULL;
CREATE INDEX case_by_status ON "case" (
  tenant_id,
  (CASE status WHEN 'OPEN' THEN 1 WHEN 'IN_PROGRESS' THEN 2 ELSE 3 END),
  created_at DESC,
  case_id DESC
) WHERE archived_at IS NULL;
DROP INDEX case_created, case_priority, case_status;
