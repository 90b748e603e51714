-- Who may touch what. The API sees one tenant's rows, the one that its transaction names; a transaction that names none
-- fails. The sink writes all tenants' rows by a policy of its own and not by BYPASSRLS: that takes no superuser, is said
-- table by table, and a new table stays closed to it until a migration opens it.

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY[
    'tenant', 'credential', 'routing_key', 'project', 'automation_rule',
    'case', 'custom_attribute', 'timeline_cell', 'activity', 'case_link',
    'alert', 'signal_receipt', 'command_outcome', 'idempotency_key'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format(
      'CREATE POLICY own_tenant ON %I TO %I USING (tenant_id = current_setting(''app.tenant'')::uuid) '
      'WITH CHECK (tenant_id = current_setting(''app.tenant'')::uuid)', t, :'app');
    EXECUTE format('CREATE POLICY all_tenants ON %I TO %I USING (true) WITH CHECK (true)', t, :'sink');
    EXECUTE format('GRANT SELECT ON %I TO %I', t, :'app');
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', t, :'sink');
  END LOOP;
END
$$;

GRANT INSERT ON idempotency_key TO :"app";
GRANT SELECT ON projection_offset TO :"app";
GRANT SELECT, INSERT, UPDATE, DELETE ON projection_offset TO :"sink";

-- What must be read before the tenant is known, one exact digest at a time. The functions run as the owner, who is
-- under forced row-level security too, so he gets just this.
CREATE POLICY lookup ON credential FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY lookup ON routing_key FOR SELECT TO CURRENT_USER USING (true);

-- The tenant of a live credential, by the sha256 of its key in hex. No row where there is none.
CREATE FUNCTION authenticate(digest text)
  RETURNS TABLE (tenant_id uuid, credential_id uuid, kind text, owner text)
  LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
  AS $$
    SELECT c.tenant_id, c.credential_id, c.kind, c.owner
    FROM public.credential c
    WHERE c.digest = authenticate.digest AND c.revoked_at IS NULL
    ORDER BY c.created_at
    LIMIT 1
  $$;

-- Where the alerts of a live routing key go, by the sha256 of the key in hex. No row where there is none.
CREATE FUNCTION route(digest text)
  RETURNS TABLE (tenant_id uuid, project_id uuid, project_key text)
  LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
  AS $$
    SELECT r.tenant_id, r.project_id, r.project_key
    FROM public.routing_key r
    WHERE r.digest = route.digest AND r.revoked_at IS NULL
    ORDER BY r.created_at
    LIMIT 1
  $$;

REVOKE EXECUTE ON FUNCTION authenticate(text), route(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION authenticate(text), route(text) TO :"app";
