-- What became of signals. Written once: the first receipt in the log counts.
INSERT INTO signal_receipt (
  tenant_id, signal_id, alert_id, receipt, reason, case_id, settled_at
)
SELECT
  r.tenant_id, r.signal_id, r.alert_id, r.receipt, r.reason, r.case_id, instant(r.settled_at)
FROM unnest(
  %(tenant_id)s::uuid[], %(signal_id)s::uuid[], %(alert_id)s::text[], %(receipt)s::text[], %(reason)s::text[],
  %(case_id)s::uuid[], %(settled_at)s::bigint[]
) AS r (
  tenant_id, signal_id, alert_id, receipt, reason, case_id, settled_at
)
ON CONFLICT DO NOTHING
