-- The desk: who moderates, who is signed in, and what an act's undoing needs.

-- `password`: an argon2id hash with its parameters. A moderator who left is disabled, never deleted: the record has the
-- name, and nobody else may take it.
CREATE TABLE moderators (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name     text NOT NULL UNIQUE,
    password text NOT NULL,
    role     text NOT NULL CHECK (role IN ('moderator', 'editor', 'admin')),
    disabled boolean NOT NULL DEFAULT false
);

-- Who is signed in. `token`: a hash of what the cookie holds, so that a dump signs nobody in. A row that is deleted is
-- a session that has ended. `seen`: when it was last used, to the minute.
CREATE TABLE sessions (
    token     bytea PRIMARY KEY,
    moderator bigint NOT NULL REFERENCES moderators,
    begun     timestamptz NOT NULL DEFAULT now(),
    seen      timestamptz NOT NULL DEFAULT now(),
    ends      timestamptz NOT NULL
);
CREATE INDEX sessions_moderator ON sessions (moderator);

CREATE INDEX acts_moderator ON acts (moderator, id);

-- Whether an act is the last one on its subject.
CREATE FUNCTION stands(a acts) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN a.comment IS NULL
        THEN NOT EXISTS (
            SELECT FROM acts l
            WHERE l.thread = a.thread AND l.comment IS NULL AND l.id > a.id AND (l.kind = 'slow') = (a.kind = 'slow')
        )
        ELSE NOT EXISTS (SELECT FROM acts l WHERE l.comment = a.comment AND l.id > a.id)
    END
$$;

-- The act, where it can be undone: nobody has acted on the same comment, or on the same side of the thread (its state,
-- its pace), since. The thread stays locked until whoever asks has undone it: an act that comes meanwhile waits, and is
-- not undone unseen.
CREATE FUNCTION undoable(act_id bigint) RETURNS SETOF acts LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM threads WHERE id = (SELECT thread FROM acts WHERE id = act_id) FOR UPDATE;
    RETURN QUERY SELECT a.* FROM acts a WHERE a.id = act_id AND stands(a);
END $$;
