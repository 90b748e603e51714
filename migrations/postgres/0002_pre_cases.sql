-- Cases and all that hangs on them: a view of case.events.
-- There are no foreign keys: views of several topics come in any order, and a rebuild begins with empty tables.

CREATE TABLE "case" (
  tenant_id uuid NOT NULL,
  case_id uuid NOT NULL,
  version bigint NOT NULL,
  project_id uuid NOT NULL,
  project_key text NOT NULL,
  number bigint NOT NULL,
  -- PROJECT-n, in capitals as project keys are. Look it up with `key = upper($1)`: under row-level security a
  -- function over the column would keep the index from being used.
  key text NOT NULL,
  type_id uuid NOT NULL,
  title text NOT NULL,
  description text NOT NULL,
  status text NOT NULL,
  status_name text NOT NULL,
  priority text NOT NULL,
  assignee_id text,
  -- {name: [values]}
  attributes jsonb NOT NULL,
  resolved_reason text,
  -- An ISO date.
  due_date text,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  modified_at timestamptz,
  modified_by text,
  closed_at timestamptz,
  archived_at timestamptz,
  -- [{"alert_id", "status", "seq", "triggers"}]
  alerts jsonb NOT NULL,
  group_key text,
  comments bigint NOT NULL,
  -- sha256 of the Avro bytes of this state, by which views are compared.
  state_hash bytea NOT NULL,
  PRIMARY KEY (tenant_id, case_id)
);
CREATE INDEX case_key ON "case" (tenant_id, key);
CREATE INDEX case_created ON "case" (tenant_id, created_at DESC, case_id DESC);
CREATE INDEX case_modified ON "case" (tenant_id, modified_at DESC NULLS LAST, case_id DESC);
CREATE INDEX case_priority ON "case" (tenant_id, priority, created_at DESC, case_id DESC);
CREATE INDEX case_status ON "case" (tenant_id, status, created_at DESC, case_id DESC);
CREATE INDEX case_project ON "case" (tenant_id, project_id, created_at DESC, case_id DESC);

CREATE TABLE custom_attribute (
  tenant_id uuid NOT NULL,
  case_id uuid NOT NULL,
  key text NOT NULL,
  values text[] NOT NULL,
  PRIMARY KEY (tenant_id, case_id, key)
);
CREATE INDEX custom_attribute_key ON custom_attribute (tenant_id, key);

CREATE TABLE timeline_cell (
  tenant_id uuid NOT NULL,
  case_id uuid NOT NULL,
  cell_id uuid NOT NULL,
  -- The version of the case that last touched the cell, and the one that its words are of.
  version bigint NOT NULL,
  message_version bigint NOT NULL,
  type text NOT NULL,
  -- Empty while the event that added the cell has not been seen.
  author text NOT NULL,
  message text NOT NULL,
  created_at timestamptz NOT NULL,
  modified_at timestamptz,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, case_id, cell_id)
);
CREATE INDEX timeline_cell_created ON timeline_cell (tenant_id, case_id, created_at);

CREATE TABLE activity (
  tenant_id uuid NOT NULL,
  case_id uuid NOT NULL,
  version bigint NOT NULL,
  event_id uuid NOT NULL,
  -- The event's name, e.g. case_status_changed.
  kind text NOT NULL,
  actor text NOT NULL,
  occurred_at timestamptz NOT NULL,
  -- {"field", "old", "new"} and what else names the thing that changed.
  change jsonb NOT NULL,
  -- Where the event stands in case.events: live streams resume by it.
  generation integer NOT NULL,
  partition integer NOT NULL,
  "offset" bigint NOT NULL,
  correlation_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, case_id, version)
);
CREATE INDEX activity_position ON activity (tenant_id, generation, partition, "offset");

CREATE TABLE case_link (
  tenant_id uuid NOT NULL,
  link_id uuid NOT NULL,
  version bigint NOT NULL,
  kind text NOT NULL,
  case_id uuid NOT NULL,
  other_case_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, link_id)
);
CREATE INDEX case_link_case ON case_link (tenant_id, case_id) WHERE deleted_at IS NULL;
CREATE INDEX case_link_other ON case_link (tenant_id, other_case_id) WHERE deleted_at IS NULL;
