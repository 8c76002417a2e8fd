-- What moderators do: with comments, with threads, and the record of it.

-- `reason`: why a comment was last held, published, removed or restored; `judged_at`: when.
ALTER TABLE comments ADD COLUMN reason text, ADD COLUMN judged_at timestamptz;
CREATE INDEX comments_held ON comments (no) WHERE state = 'held';

-- The record: every act, once done, as it was done. Who undoes one adds another. It names comments and threads by their
-- numbers, and nobody's address. `moderator`: who did it; null for the command line and the service itself.
CREATE TABLE acts (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    moderator text,
    kind      text NOT NULL CHECK (kind IN ('publish', 'hold', 'remove', 'restore', 'open', 'close', 'hold-thread', 'slow')),
    thread    bigint NOT NULL REFERENCES threads,
    comment   bigint REFERENCES comments,
    was       text NOT NULL,
    reason    text NOT NULL
);
CREATE INDEX acts_thread ON acts (thread, id);
CREATE INDEX acts_comment ON acts (comment, id) WHERE comment IS NOT NULL;

CREATE FUNCTION refuse_to_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record of acts is only ever added to' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER acts_are_kept BEFORE UPDATE OR DELETE ON acts FOR EACH ROW EXECUTE FUNCTION refuse_to_forget();
CREATE TRIGGER acts_are_all_kept BEFORE TRUNCATE ON acts FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_forget();

-- Brings comments into a state: published, held or removed. A row for each that was in another and could be, in the order
-- of their numbers, with what readers get (`raised`: whether they can see a difference) and where its thread then stands.
-- A retracted comment, or one whose text was erased, stays as it is.
CREATE FUNCTION judge_comments(comment_nos bigint[], target text, why text, who text)
RETURNS TABLE (thread bigint, raised boolean, no bigint, version bigint, at timestamptz, state text, text text,
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
        RETURN QUERY SELECT c.thread, c.version IS NOT NULL, c.no, c.version, c.at, c.state, c.text,
                            wire_epoch(t.epoch), t.version, t.count;
    END LOOP;
END $$;

-- Opens, closes, holds or slows a thread; null leaves one of the two as it is. A row where the thread is there; `raised`
-- says whether anything differs.
CREATE FUNCTION judge_thread(thread_id bigint, new_state text, new_slow integer, why text, who text)
RETURNS TABLE (raised boolean, thread_epoch text, thread_version bigint, thread_count bigint, thread_state text,
               thread_slow integer)
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
    t.state := coalesce(new_state, t.state);
    t.slow := coalesce(new_slow, t.slow);
    IF (t.state, t.slow) IS DISTINCT FROM (before.state, before.slow) THEN
        t.version := t.version + 1;
        UPDATE threads SET state = t.state, slow = t.slow, version = t.version, state_version = t.version WHERE id = t.id;
    END IF;
    IF t.state <> before.state THEN
        INSERT INTO acts (moderator, kind, thread, was, reason)
        VALUES (who, CASE t.state WHEN 'open' THEN 'open' WHEN 'closed' THEN 'close' ELSE 'hold-thread' END,
                t.id, before.state, why);
    END IF;
    IF t.slow <> before.slow THEN
        INSERT INTO acts (moderator, kind, thread, was, reason) VALUES (who, 'slow', t.id, before.slow::text, why);
    END IF;
    RETURN QUERY SELECT t.version > before.version, wire_epoch(t.epoch), t.version, t.count, t.state, t.slow;
END $$;
