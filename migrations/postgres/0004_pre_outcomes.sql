-- Answers to callers, and how far every projection is.

-- Kept for 24 hours.
CREATE TABLE command_outcome (
  tenant_id uuid NOT NULL,
  command_id uuid NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('accepted', 'rejected', 'unchanged')),
  code text,
  detail text,
  field text,
  aggregate_id text NOT NULL,
  version bigint,
  topic text NOT NULL,
  partition integer NOT NULL,
  "offset" bigint NOT NULL,
  settled_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, command_id)
);
-- Old rows of all tenants are deleted together.
CREATE INDEX command_outcome_settled ON command_outcome (settled_at);

-- Written by the API before it appends: which request an Idempotency-Key was first used for. Kept for 24 hours.
CREATE TABLE idempotency_key (
  tenant_id uuid NOT NULL,
  command_id uuid NOT NULL,
  fingerprint bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, command_id)
);
CREATE INDEX idempotency_key_created ON idempotency_key (created_at);

-- No tenant's data, so no row-level security. visible_next_offset: up to where readers of the view see everything,
-- where that is later than its being written (a search index refreshes).
CREATE TABLE projection_offset (
  sink text NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  generation integer NOT NULL,
  next_offset bigint NOT NULL CHECK (next_offset >= 0),
  visible_next_offset bigint,
  PRIMARY KEY (sink, topic, partition)
);
