-- What a thread asks of who writes in it, whom a comment is by, and why a guard holds one.

-- `surge`: more comes than anybody reads, so that writing costs more for a while. `pinned`: the comment that stands first.
ALTER TABLE threads ADD COLUMN surge boolean NOT NULL DEFAULT false, ADD COLUMN pinned bigint REFERENCES comments;

-- `author`: who of the newsroom speaks, as readers see it; null for everybody else.
ALTER TABLE comments ADD COLUMN author text;

-- An act on a filter names it alone, as one on a ban does.
ALTER TABLE acts
    ADD COLUMN filter bigint,
    DROP CONSTRAINT acts_kind_check,
    DROP CONSTRAINT acts_subject_check,
    ADD CONSTRAINT acts_kind_check CHECK (
        kind IN ('publish', 'hold', 'remove', 'restore', 'dismiss', 'ban', 'lift', 'filter', 'unfilter',
                 'open', 'close', 'hold-thread', 'slow', 'surge', 'calm', 'pin', 'unpin')
    ),
    ADD CONSTRAINT acts_subject_check CHECK (
        (ban IS NOT NULL) = (kind IN ('ban', 'lift')) AND (filter IS NOT NULL) = (kind IN ('filter', 'unfilter'))
        AND (thread IS NOT NULL) = (ban IS NULL AND filter IS NULL)
    );

-- As before, with two more for each draft: why a guard holds it (null: it does not), and who of the newsroom wrote it
-- (null: nobody; what the newsroom writes is held by nothing).
DROP FUNCTION post_comments(bigint[], uuid[], uuid[], uuid[], text[], bytea[], bytea[], bytea[]);
CREATE FUNCTION post_comments(thread_ids bigint[], ops uuid[], before uuid[], after uuid[], texts text[], tags bytea[],
                              addresses bytea[] DEFAULT NULL, networks bytea[] DEFAULT NULL,
                              held text[] DEFAULT NULL, authors text[] DEFAULT NULL)
RETURNS TABLE (no bigint, version bigint, at timestamptz, state text, text_tag bytea, fresh boolean,
               thread_state text, thread_epoch text, thread_version bigint, thread_count bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM threads WHERE id = ANY (thread_ids) ORDER BY id FOR UPDATE;
    -- A later statement, so that its snapshot is taken under the locks: under READ COMMITTED the one that waited
    -- for a lock would still see the ops as they were before it.
    RETURN QUERY
    WITH drafts AS (
        SELECT d.* FROM unnest(thread_ids, ops, before, after, texts, tags, addresses, networks, held, authors)
            WITH ORDINALITY AS d (thread, op, before, after, text, tag, address, network, held, author, place)
    ), standing AS (
        SELECT DISTINCT ON (d.place) d.place, c.no, c.version, c.at, c.state, c.text_tag
        FROM drafts d JOIN comments c ON c.thread = d.thread AND c.op IN (d.op, d.before, d.after)
        ORDER BY d.place, c.no
    ), fresh AS (
        SELECT d.*, p.passes, t.version + sum(p.passes::int) OVER (PARTITION BY d.thread ORDER BY d.place) AS version
        FROM drafts d JOIN threads t ON t.id = d.thread,
             LATERAL (SELECT d.author IS NOT NULL OR t.state = 'open' AND d.held IS NULL AS passes) p
        WHERE t.state IN ('open', 'held') AND NOT EXISTS (SELECT FROM standing s WHERE s.place = d.place)
    ), inserted AS (
        INSERT INTO comments (thread, version, op, text_tag, text, state, reason, address, network, author)
        SELECT thread, CASE WHEN passes THEN version END, op, tag, text,
               CASE WHEN passes THEN 'published' ELSE 'held' END, CASE WHEN NOT passes THEN held END, address, network, author
        FROM fresh ORDER BY place
        RETURNING thread, op, no, version, at, state, text_tag
    ), raised AS (
        UPDATE threads t SET version = t.version + n.published, count = t.count + n.published
        FROM (SELECT thread, count(*) AS published FROM inserted WHERE version IS NOT NULL GROUP BY thread) n
        WHERE t.id = n.thread
        RETURNING t.id, t.version, t.count
    )
    SELECT coalesce(s.no, i.no), coalesce(s.version, i.version), coalesce(s.at, i.at), coalesce(s.state, i.state),
           coalesce(s.text_tag, i.text_tag), i.no IS NOT NULL,
           t.state, wire_epoch(t.epoch), coalesce(r.version, t.version), coalesce(r.count, t.count)
    FROM drafts d
    LEFT JOIN standing s ON s.place = d.place
    LEFT JOIN inserted i ON i.thread = d.thread AND i.op = d.op AND s.no IS NULL
    LEFT JOIN threads t ON t.id = d.thread
    LEFT JOIN raised r ON r.id = d.thread
    ORDER BY d.place;
END $$;

-- As before, with `author`, which the text that readers get needs.
DROP FUNCTION judge_comments(bigint[], text, text, text);
CREATE FUNCTION judge_comments(comment_nos bigint[], target text, why text, who text)
RETURNS TABLE (thread bigint, raised boolean, no bigint, version bigint, at timestamptz, state text, text text, author text,
               thread_epoch text, thread_version bigint, thread_count bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    c comments;
    t threads;
    was text;
BEGIN
    PERFORM FROM threads WHERE id IN (SELECT thread FROM comments WHERE no = ANY (comment_nos)) ORDER BY id FOR UPDATE;
    FOR c IN SELECT * FROM comments WHERE no = ANY (comment_nos) ORDER BY no FOR UPDATE LOOP
        CONTINUE WHEN c.state IN (target, 'retracted') OR c.text IS NULL;
        was := c.state;
        c.state := target;
        SELECT * INTO t FROM threads WHERE id = c.thread;
        IF c.version IS NOT NULL OR target = 'published' THEN
            t.version := t.version + 1;
            t.count := t.count + (target = 'published')::int - (was = 'published')::int;
            c.version := t.version;
            UPDATE threads SET version = t.version, count = t.count WHERE id = t.id;
        END IF;
        UPDATE comments SET state = c.state, version = c.version, reason = why, judged_at = clock_timestamp()
        WHERE no = c.no;
        INSERT INTO acts (moderator, kind, thread, comment, was, reason)
        VALUES (who,
                CASE WHEN target = 'held' THEN 'hold' WHEN target = 'removed' THEN 'remove'
                     WHEN was = 'removed' THEN 'restore' ELSE 'publish' END,
                c.thread, c.no, was, why);
        RETURN QUERY SELECT c.thread, c.version IS NOT NULL, c.no, c.version, c.at, c.state, c.text, c.author,
                            wire_epoch(t.epoch), t.version, t.count;
    END LOOP;
END $$;

-- Which side of a thread an act is about, as `judge_thread` names it; null for an act on anything else.
CREATE FUNCTION side(kind text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN kind IN ('open', 'close', 'hold-thread') THEN 'state' WHEN kind = 'slow' THEN 'slow'
                WHEN kind IN ('surge', 'calm') THEN 'surge' WHEN kind IN ('pin', 'unpin') THEN 'pinned' END
$$;

-- Changes the sides of a thread that `terms` names: `state`, `slow`, `surge`, `pinned` (null or '' for none; only a
-- published comment of this thread can be pinned). A row where the thread is there; `raised` says whether anything differs.
DROP FUNCTION judge_thread(bigint, text, integer, text, text);
CREATE FUNCTION judge_thread(thread_id bigint, terms jsonb, why text, who text)
RETURNS TABLE (raised boolean, thread_epoch text, thread_version bigint, thread_count bigint, thread_state text,
               thread_slow integer, thread_surge boolean, thread_pinned bigint)
LANGUAGE plpgsql AS $$
DECLARE
    t threads;
    before threads;
BEGIN
    SELECT * INTO before FROM threads WHERE id = thread_id AND state <> 'none' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    t := before;
    t.state := coalesce(terms ->> 'state', t.state);
    t.slow := coalesce((terms ->> 'slow')::integer, t.slow);
    t.surge := coalesce((terms ->> 'surge')::boolean, t.surge);
    IF terms ? 'pinned' THEN
        t.pinned := (SELECT no FROM comments
                     WHERE thread = t.id AND state = 'published' AND no = nullif(terms ->> 'pinned', '')::bigint);
    END IF;
    IF t IS DISTINCT FROM before THEN
        t.version := t.version + 1;
        UPDATE threads
        SET state = t.state, slow = t.slow, surge = t.surge, pinned = t.pinned, version = t.version, state_version = t.version
        WHERE id = t.id;
    END IF;
    INSERT INTO acts (moderator, kind, thread, was, reason)
    SELECT who, kind, t.id, was, why
    FROM (VALUES
        (CASE t.state WHEN 'open' THEN 'open' WHEN 'closed' THEN 'close' ELSE 'hold-thread' END, t.state, before.state),
        ('slow', t.slow::text, before.slow::text),
        (CASE WHEN t.surge THEN 'surge' ELSE 'calm' END, t.surge::text, before.surge::text),
        (CASE WHEN t.pinned IS NULL THEN 'unpin' ELSE 'pin' END, coalesce(t.pinned::text, ''), coalesce(before.pinned::text, ''))
    ) AS sides (kind, is_now, was)
    WHERE is_now <> was;
    RETURN QUERY SELECT t.version > before.version, wire_epoch(t.epoch), t.version, t.count, t.state, t.slow, t.surge, t.pinned;
END $$;

-- As before: whether an act is the last one on its subject, which is a comment, or one side of a thread.
CREATE OR REPLACE FUNCTION stands(a acts) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN a.comment IS NULL
        THEN NOT EXISTS (
            SELECT FROM acts l
            WHERE l.thread = a.thread AND l.comment IS NULL AND l.id > a.id AND side(l.kind) = side(a.kind)
        )
        ELSE NOT EXISTS (SELECT FROM acts l WHERE l.comment = a.comment AND l.id > a.id)
    END
$$;
