-- What readers report, what authors of removed comments ask to have looked at again, and what becomes of it.

-- A report; an appeal is one of a removal, with `reason` 'appeal'. `reporter`: a keyed hash of the comment's number and an
-- address, so that it links nothing but two reports of one comment; null where it was erased. `note`: what was said
-- besides; null where it was nothing, or was erased. `open`: until a moderator has judged the comment; `settled`: by which
-- act; none is ever deleted. One whose comment has lost its text is closed by none.
CREATE TABLE reports (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    comment  bigint NOT NULL REFERENCES comments,
    reporter bytea,
    reason   text NOT NULL CHECK (reason IN ('spam', 'abuse', 'private', 'off-topic', 'illegal', 'other', 'appeal')),
    note     text,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    open     boolean NOT NULL DEFAULT true,
    settled  bigint
);
CREATE INDEX reports_comment ON reports (comment, id);
CREATE INDEX reports_open ON reports (comment) WHERE open;
CREATE INDEX reports_settled ON reports (settled) WHERE settled IS NOT NULL;
CREATE INDEX reports_known ON reports (at) WHERE reporter IS NOT NULL;
CREATE INDEX reports_notes ON reports (at) WHERE note IS NOT NULL AND NOT open;

ALTER TABLE acts
    DROP CONSTRAINT acts_kind_check,
    ADD CONSTRAINT acts_kind_check CHECK (
        kind IN ('publish', 'hold', 'remove', 'restore', 'dismiss', 'reopen', 'ban', 'lift', 'filter', 'unfilter',
                 'open', 'close', 'hold-thread', 'slow', 'surge', 'calm', 'pin', 'unpin')
    );

-- Every judgement on a comment settles what is open on it, whoever judges and by whatever function. Undoing the judgement
-- opens it again, but for the appeals of a removal that is undone.
CREATE FUNCTION settle_reports() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    undone bigint := substring(NEW.reason FROM '^undo #([0-9]{1,18})$')::bigint;
    reopened boolean;
BEGIN
    UPDATE reports SET open = true, settled = NULL
    WHERE settled = undone AND comment = NEW.comment AND (SELECT text IS NOT NULL FROM comments WHERE no = NEW.comment);
    reopened := FOUND;
    UPDATE reports SET open = false, settled = NEW.id
    WHERE comment = NEW.comment AND open
      AND CASE WHEN reopened THEN reason = 'appeal' AND NEW.kind IN ('publish', 'restore')
               ELSE NEW.kind IN ('publish', 'remove', 'restore', 'dismiss') END;
    RETURN NULL;
END $$;
CREATE TRIGGER acts_settle_reports AFTER INSERT ON acts
    FOR EACH ROW WHEN (NEW.comment IS NOT NULL) EXECUTE FUNCTION settle_reports();

-- What was said about a text goes with it: it may quote it.
CREATE FUNCTION forget_reports() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reports SET open = false, note = NULL WHERE comment = NEW.no AND (open OR note IS NOT NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER comments_forget_reports AFTER UPDATE OF text ON comments
    FOR EACH ROW WHEN (OLD.text IS NOT NULL AND NEW.text IS NULL) EXECUTE FUNCTION forget_reports();

-- Files a report, or an appeal, of who has this hash; once, however often it is sent. No row where there is no such comment,
-- or it was never published. A report of what is gone, and an appeal of what is not removed, changes nothing. `due`: the
-- comment, where this made `enough` reports since a moderator judged it (0: there are never enough; what the newsroom wrote is not held by them), of how many
-- are open.
-- The thread stays locked until whoever asks has held it; what changes nothing locks nothing, however often it comes.
CREATE FUNCTION file_report(comment_no bigint, who bytea, why text, words text, enough integer)
RETURNS TABLE (below bigint, due bigint[], reported bigint) LANGUAGE plpgsql AS $$
DECLARE
    c comments;
    fits boolean;
BEGIN
    SELECT * INTO c FROM comments
    WHERE no = comment_no AND version IS NOT NULL AND thread IN (SELECT id FROM threads WHERE state <> 'none');
    IF NOT FOUND THEN
        RETURN;
    END IF;
    below := c.thread;
    IF c.text IS NULL OR (why = 'appeal') <> (c.state = 'removed')
       OR EXISTS (SELECT FROM reports r WHERE r.comment = c.no AND r.reporter = who AND (r.open OR why <> 'appeal')) THEN
        RETURN NEXT;
        RETURN;
    END IF;
    PERFORM FROM threads WHERE id = below FOR UPDATE;
    -- Under the lock: a moderator may have acted meanwhile, and the same may have come twice.
    SELECT * INTO c FROM comments WHERE no = comment_no FOR UPDATE;
    fits := c.text IS NOT NULL AND (why = 'appeal') = (c.state = 'removed');
    INSERT INTO reports (comment, reporter, reason, note)
    SELECT c.no, who, why, words
    WHERE fits AND NOT EXISTS (
        SELECT FROM reports r WHERE r.comment = c.no AND r.reporter = who AND (r.open OR why <> 'appeal')
    );
    SELECT count(*) INTO reported FROM reports r WHERE r.comment = c.no AND r.open AND r.reason <> 'appeal';
    IF c.state = 'published' AND c.author IS NULL AND enough > 0 AND reported >= enough THEN
        due := ARRAY[c.no];
    END IF;
    RETURN NEXT;
END $$;

-- Settles what is open on comments, and leaves them as they are: those in this state, or in any where it is null. The numbers
-- of those on which something was.
CREATE FUNCTION dismiss_reports(comment_nos bigint[], standing text, why text, who text)
RETURNS SETOF bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM threads WHERE id IN (SELECT thread FROM comments WHERE no = ANY (comment_nos)) ORDER BY id FOR UPDATE;
    RETURN QUERY
    INSERT INTO acts (moderator, kind, thread, comment, was, reason)
    SELECT who, 'dismiss', c.thread, c.no, 'reported', why
    FROM comments c
    WHERE c.no = ANY (comment_nos) AND c.state = coalesce(standing, c.state)
      AND EXISTS (SELECT FROM reports r WHERE r.comment = c.no AND r.open)
    ORDER BY c.no
    RETURNING comment;
END $$;

-- As before, and also: the hashes of who reported, when they are older than `known`; and what settled reports say, when it is
-- older than `removed`.
CREATE OR REPLACE FUNCTION sweep(known interval, removed interval, most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    nos bigint[];
    reported bigint[];
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
    reported := ARRAY(
        (SELECT comment FROM reports WHERE reporter IS NOT NULL AND at <= now() - known ORDER BY at LIMIT most)
        UNION
        (SELECT comment FROM reports WHERE note IS NOT NULL AND NOT open AND at <= now() - removed ORDER BY at LIMIT most)
    );
    PERFORM FROM threads WHERE id IN (SELECT thread FROM comments WHERE no = ANY (nos || reported)) ORDER BY id FOR UPDATE;
    -- Under the locks: what is due is asked again, since a comment may have been restored meanwhile.
    UPDATE comments
    SET address = CASE WHEN at > now() - known THEN address END,
        network = CASE WHEN at > now() - known THEN network END,
        text = CASE WHEN state <> 'removed' OR judged_at > now() - removed THEN text END
    WHERE no = ANY (nos);
    UPDATE reports
    SET reporter = CASE WHEN at > now() - known THEN reporter END,
        note = CASE WHEN open OR at > now() - removed THEN note END
    WHERE comment = ANY (reported);
    RETURN (SELECT count(DISTINCT each) FROM unnest(nos || reported) each);
END $$;
