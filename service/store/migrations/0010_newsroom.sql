-- The newsroom at the desk: who of it wrote an answer, what one address wrote, and an undo for whatever was done.

-- Who wrote what a comment says in the newsroom's name: for the desk alone. It stands before the comment does, so there is
-- no such comment without it.
CREATE TABLE answers (
    thread    bigint NOT NULL REFERENCES threads,
    op        uuid NOT NULL,
    moderator text NOT NULL,
    PRIMARY KEY (thread, op)
);

-- `step`: when the transaction of an act began. What a moderator did in one step has it in common, and is undone in one.
-- Null in what was done before this migration: each of those is a step of its own.
ALTER TABLE acts ADD COLUMN step timestamptz;
ALTER TABLE acts ALTER COLUMN step SET DEFAULT now();
CREATE INDEX acts_step ON acts (step);
CREATE INDEX acts_ban ON acts (ban, id) WHERE ban IS NOT NULL;

-- How many comments the step of an act was on, with this one.
CREATE FUNCTION together(a acts) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM acts s
    WHERE a.comment IS NOT NULL AND s.comment IS NOT NULL AND s.step = a.step AND s.moderator IS NOT DISTINCT FROM a.moderator
$$;

-- As before for one act; with `steps`, for all acts on comments that were one step with it.
DROP FUNCTION undoable(bigint);
CREATE FUNCTION undoable(act_id bigint, steps boolean) RETURNS SETOF acts LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    ids := ARRAY(
        SELECT s.id
        FROM acts a JOIN acts s ON s.id = a.id OR steps AND s.step = a.step AND s.moderator IS NOT DISTINCT FROM a.moderator
        WHERE a.id = act_id AND (s.comment IS NOT NULL OR NOT steps)
    );
    PERFORM FROM threads WHERE id IN (SELECT thread FROM acts WHERE id = ANY (ids)) ORDER BY id FOR UPDATE;
    RETURN QUERY SELECT s.* FROM acts s WHERE s.id = ANY (ids) AND stands(s) ORDER BY s.comment;
END $$;

-- Whether an act on a ban can be undone: it is the last one on it, the ban's time is not over, and its hash is still there.
CREATE FUNCTION ban_stands(a acts) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM bans WHERE id = a.ban AND tag IS NOT NULL AND ends > now())
       AND NOT EXISTS (SELECT FROM acts l WHERE l.ban = a.ban AND l.id > a.id)
$$;

-- The thread of a comment that can be pinned now, locked until whoever asks has done so; no row where it can't be.
CREATE FUNCTION pinnable(comment_no bigint) RETURNS TABLE (thread bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM threads WHERE id = (SELECT thread FROM comments WHERE no = comment_no) FOR UPDATE;
    RETURN QUERY SELECT thread FROM comments WHERE no = comment_no AND state = 'published';
END $$;
