-- Who wrote a comment, as far as it is kept; the bans made of that; and the sweep that erases what was kept for long
-- enough.

-- `address`, `network`: keyed hashes of the address that it came from and of the wider net around that, each with a key
-- of its own. Null where they were erased.
ALTER TABLE comments ADD COLUMN address bytea, ADD COLUMN network bytea;
CREATE INDEX comments_known ON comments (at) WHERE address IS NOT NULL;
CREATE INDEX comments_removed ON comments (judged_at) WHERE state = 'removed' AND text IS NOT NULL;

-- `tag`: the hash, `address` or `network`, of the comment that a ban was made from; which comment that was is kept nowhere,
-- so that nothing links the two when the comment's own hash is gone. Null once the ban is over.
CREATE TABLE bans (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tag    bytea,
    scope  text NOT NULL CHECK (scope IN ('address', 'network')),
    reason text NOT NULL,
    begun  timestamptz NOT NULL DEFAULT now(),
    ends   timestamptz NOT NULL,
    lifted timestamptz
);
CREATE INDEX bans_known ON bans (ends) WHERE tag IS NOT NULL;

-- An act on a ban names it alone: no thread, and no comment.
ALTER TABLE acts
    ADD COLUMN ban bigint REFERENCES bans,
    ALTER COLUMN thread DROP NOT NULL,
    DROP CONSTRAINT acts_kind_check,
    ADD CONSTRAINT acts_kind_check CHECK (
        kind IN ('publish', 'hold', 'remove', 'restore', 'open', 'close', 'hold-thread', 'slow', 'ban', 'lift')
    ),
    ADD CONSTRAINT acts_subject_check CHECK ((ban IS NOT NULL) = (kind IN ('ban', 'lift')) AND (ban IS NULL) = (thread IS NOT NULL));

-- As before, with the hashes of who wrote each draft. A worker of the release before names none.
DROP FUNCTION post_comments(bigint[], uuid[], uuid[], uuid[], text[], bytea[]);
CREATE FUNCTION post_comments(thread_ids bigint[], ops uuid[], before uuid[], after uuid[], texts text[], tags bytea[],
                              addresses bytea[] DEFAULT NULL, networks bytea[] DEFAULT NULL)
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
        SELECT d.* FROM unnest(thread_ids, ops, before, after, texts, tags, addresses, networks)
            WITH ORDINALITY AS d (thread, op, before, after, text, tag, address, network, place)
    ), standing AS (
        SELECT DISTINCT ON (d.place) d.place, c.no, c.version, c.at, c.state, c.text_tag
        FROM drafts d JOIN comments c ON c.thread = d.thread AND c.op IN (d.op, d.before, d.after)
        ORDER BY d.place, c.no
    ), fresh AS (
        SELECT d.*, t.state, t.version + row_number() OVER (PARTITION BY d.thread ORDER BY d.place) AS version
        FROM drafts d JOIN threads t ON t.id = d.thread
        WHERE t.state IN ('open', 'held') AND NOT EXISTS (SELECT FROM standing s WHERE s.place = d.place)
    ), inserted AS (
        INSERT INTO comments (thread, version, op, text_tag, text, state, address, network)
        SELECT thread, CASE state WHEN 'open' THEN version END, op, tag, text,
               CASE state WHEN 'open' THEN 'published' ELSE 'held' END, address, network
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

-- Erases what was kept for long enough: the tags of bans that are over, hashes that are older than `known`, text that was
-- removed before `removed` ago. One step, of at most `most` comments each; how many they were. Null where somebody else is
-- taking a step.
CREATE FUNCTION sweep(known interval, removed interval, most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    nos bigint[];
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('afterword'), hashtext('sweep')) THEN
        RETURN NULL;
    END IF;
    UPDATE bans SET tag = NULL WHERE tag IS NOT NULL AND ends <= now();
    nos := ARRAY(
        (SELECT no FROM comments WHERE address IS NOT NULL AND at <= now() - known ORDER BY at LIMIT most)
        UNION
        (SELECT no FROM comments WHERE state = 'removed' AND text IS NOT NULL AND judged_at <= now() - removed
         ORDER BY judged_at LIMIT most)
    );
    PERFORM FROM threads WHERE id IN (SELECT thread FROM comments WHERE no = ANY (nos)) ORDER BY id FOR UPDATE;
    -- Under the locks: what is due is asked again, since a comment may have been restored meanwhile.
    UPDATE comments
    SET address = CASE WHEN at > now() - known THEN address END,
        network = CASE WHEN at > now() - known THEN network END,
        text = CASE WHEN state <> 'removed' OR judged_at > now() - removed THEN text END
    WHERE no = ANY (nos);
    RETURN cardinality(nos);
END $$;
