-- Threads that close when their article is old; and the rights of the role that serves.

-- Whether somebody opened, closed or held a thread after a moment.
CREATE FUNCTION judged_since(thread_id bigint, moment timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM acts WHERE thread = thread_id AND side(kind) = 'state' AND at >= moment)
$$;

-- The open and held threads, at most `most`, of articles that were published more than `age` ago; but for those that
-- somebody opened, closed or held since they were that old. They stay locked until whoever asks has closed them. None while
-- somebody else is at it.
CREATE FUNCTION lapsed(age interval, most integer) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('afterword'), hashtext('lapsed')) THEN
        RETURN;
    END IF;
    ids := ARRAY(SELECT t.id FROM threads t JOIN articles a USING (id)
                 WHERE t.state IN ('open', 'held') AND a.published_at <= now() - age
                   AND NOT judged_since(t.id, a.published_at + age)
                 ORDER BY t.id LIMIT most);
    PERFORM FROM threads WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
    -- Under the locks: a moderator may have acted meanwhile.
    RETURN QUERY SELECT t.id FROM threads t JOIN articles a USING (id)
                 WHERE t.id = ANY (ids) AND t.state IN ('open', 'held') AND NOT judged_since(t.id, a.published_at + age)
                 ORDER BY t.id;
END $$;

-- Lets a role serve by the tables of whoever calls this, and keep to the rights that serving needs: the record of acts can
-- be read and added to, at the moment and under the number that the database gives. It owns nothing, so it can change and
-- drop nothing. To be called after every migration, which may have made tables.
CREATE FUNCTION let_serve(who name) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name name;
    rights text;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), who);
    FOR name, rights IN
        SELECT relname, CASE relname
            WHEN 'migrations' THEN 'SELECT'
            WHEN 'acts' THEN 'SELECT, INSERT (' || (
                SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
                WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'at', 'step')
            ) || ')'
            ELSE 'SELECT, INSERT, UPDATE, DELETE' END
        FROM pg_class t
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND pg_has_role(relowner, 'USAGE')
    LOOP
        EXECUTE format('REVOKE ALL ON %I FROM %I', name, who);
        EXECUTE format('GRANT %s ON %I TO %I', rights, name, who);
    END LOOP;
END $$;
