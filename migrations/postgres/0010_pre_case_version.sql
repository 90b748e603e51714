-- A case as it was at each of its versions. The table of versions before this migration is filled by a rebuild of the view.

CREATE TABLE case_version (
  tenant_id uuid NOT NULL,
  case_id uuid NOT NULL,
  version bigint NOT NULL,
  -- When the change was asked for, as `activity` shows it.
  occurred_at timestamptz NOT NULL,
  -- The state in Avro, framed with its schema id: as it was then, whatever a case's columns are by now.
  state bytea NOT NULL,
  -- With the time in the index, the version of a moment is found without reading states.
  PRIMARY KEY (tenant_id, case_id, version) INCLUDE (occurred_at)
);

ALTER TABLE case_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE case_version FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON case_version TO :"app" USING (tenant_id = current_setting('app.tenant')::uuid)
  WITH CHECK (tenant_id = current_setting('app.tenant')::uuid);
CREATE POLICY all_tenants ON case_version TO :"sink" USING (true) WITH CHECK (true);
GRANT SELECT ON case_version TO :"app";
GRANT SELECT, INSERT, UPDATE, DELETE ON case_version TO :"sink";
