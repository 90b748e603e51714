-- Alerts, and what became of each signal: a view of alert.events.

CREATE TABLE alert (
  tenant_id uuid NOT NULL,
  -- H/dedup_key
  alert_id text NOT NULL,
  version bigint NOT NULL,
  project_key text NOT NULL,
  status text NOT NULL,
  episode bigint NOT NULL,
  triggers bigint NOT NULL,
  opened_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, alert_id)
);
CREATE INDEX alert_open ON alert (tenant_id, project_key, changed_at DESC) WHERE status <> 'RESOLVED';

-- The final state of a signal, written once.
CREATE TABLE signal_receipt (
  tenant_id uuid NOT NULL,
  signal_id uuid NOT NULL,
  alert_id text NOT NULL,
  receipt text NOT NULL,
  reason text NOT NULL,
  case_id uuid,
  settled_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, signal_id)
);
CREATE INDEX signal_receipt_alert ON signal_receipt (tenant_id, alert_id, settled_at DESC);
