-- The attributes of these cases, one row a name, from the rows that the cases have by now. So it follows case.sql.
WITH wanted AS (
  SELECT c.tenant_id, c.case_id, c.attributes
  FROM unnest(%(tenant_id)s::uuid[], %(case_id)s::uuid[]) AS r (tenant_id, case_id)
  JOIN "case" c ON c.tenant_id = r.tenant_id AND c.case_id = r.case_id
), gone AS (
  DELETE FROM custom_attribute a
  USING wanted w
  WHERE a.tenant_id = w.tenant_id AND a.case_id = w.case_id AND NOT w.attributes ? a.key
)
INSERT INTO custom_attribute AS t (tenant_id, case_id, key, values)
SELECT w.tenant_id, w.case_id, e.key, ARRAY(SELECT jsonb_array_elements_text(e.value))
FROM wanted w
CROSS JOIN jsonb_each(w.attributes) AS e
ON CONFLICT (tenant_id, case_id, key) DO UPDATE SET values = excluded.values
WHERE t.values <> excluded.values
