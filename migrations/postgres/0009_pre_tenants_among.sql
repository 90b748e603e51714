-- Which of these are tenants: the Kafka source refuses a record whose key names another tenant than its routing key, and
-- a key may be any UUID. The function runs as the owner, who is under forced row-level security and gets just this.

CREATE POLICY lookup ON tenant FOR SELECT TO CURRENT_USER USING (true);

CREATE FUNCTION tenants_among(ids uuid[])
  RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
    SELECT t.tenant_id FROM public.tenant t WHERE t.tenant_id = ANY (tenants_among.ids)
  $$;

REVOKE EXECUTE ON FUNCTION tenants_among(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_among(uuid[]) TO :"app";
