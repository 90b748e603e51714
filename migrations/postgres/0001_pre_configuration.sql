-- What tenants own besides cases: a view of config.events.

-- Microseconds since 1970 to an instant: the log's integers become times in one place, exactly.
CREATE FUNCTION instant(micros bigint) RETURNS timestamptz
  LANGUAGE sql STABLE STRICT PARALLEL SAFE
  RETURN timestamptz 'epoch' + micros * interval '1 microsecond';

CREATE TABLE tenant (
  tenant_id uuid PRIMARY KEY,
  version bigint NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE credential (
  tenant_id uuid NOT NULL,
  credential_id uuid NOT NULL,
  version bigint NOT NULL,
  kind text NOT NULL,
  digest text NOT NULL,
  owner text NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, credential_id)
);
-- Read before the tenant is known, so it does not lead with it.
CREATE INDEX credential_digest ON credential (digest) WHERE revoked_at IS NULL;

CREATE TABLE routing_key (
  tenant_id uuid NOT NULL,
  routing_id uuid NOT NULL,
  version bigint NOT NULL,
  digest text NOT NULL,
  project_id uuid NOT NULL,
  project_key text NOT NULL,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, routing_id)
);
CREATE INDEX routing_key_digest ON routing_key (digest) WHERE revoked_at IS NULL;

CREATE TABLE project (
  tenant_id uuid NOT NULL,
  project_id uuid NOT NULL,
  version bigint NOT NULL,
  key text NOT NULL,
  name text NOT NULL,
  team_uuid text,
  enabled_custom_case_types text[] NOT NULL,
  restricted boolean NOT NULL,
  -- JSON objects; null where never set.
  settings jsonb,
  columns_config jsonb,
  created_at timestamptz NOT NULL,
  modified_at timestamptz,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, project_id)
);
CREATE INDEX project_key ON project (tenant_id, key) WHERE deleted_at IS NULL;

CREATE TABLE automation_rule (
  tenant_id uuid NOT NULL,
  rule_id uuid NOT NULL,
  version bigint NOT NULL,
  project_id uuid NOT NULL,
  project_key text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  enabled boolean NOT NULL,
  -- [{"field", "operator", "value"}]
  conditions jsonb NOT NULL,
  group_by text[] NOT NULL,
  window_seconds bigint,
  created_at timestamptz NOT NULL,
  modified_at timestamptz,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, rule_id)
);
CREATE INDEX automation_rule_project ON automation_rule (tenant_id, project_id, created_at) WHERE deleted_at IS NULL;
