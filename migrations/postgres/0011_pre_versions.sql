-- Versions of the views. The one that serves is in schema public; another one, which is being filled or was kept, is in
-- schema view_<version>, and its positions are those of sink `view.<version>`.

CREATE TABLE postgres_view (
  version integer PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('filling', 'serving', 'kept')) UNIQUE DEFERRABLE INITIALLY DEFERRED,
  since timestamptz NOT NULL DEFAULT now()
);
INSERT INTO postgres_view (version, state) VALUES (1, 'serving');

GRANT SELECT ON postgres_view TO :"sink";
