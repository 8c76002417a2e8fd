-- Threads that close when their article is old.

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
