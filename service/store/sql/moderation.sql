-- judge: brings comments into a state, with a reason and in whose name
SELECT j.*, (SELECT address FROM comments WHERE no = j.no) AS address FROM judge_comments($1, $2, $3, $4) j

-- judge_thread: changes the sides of an article's thread that $2 names
SELECT j.*, t.id AS thread FROM articles a JOIN threads t USING (id), judge_thread(t.id, $2, $3, $4) j WHERE a.slug = $1

-- pin: lets a comment stand first in its thread; no row where it is not published
SELECT j.*, p.thread
FROM pinnable($1) p, judge_thread(p.thread, jsonb_build_object('pinned', $1::bigint), 'No. ' || $1::bigint, $2) j

-- surge: begins a surge, unless there is one, or somebody ended one in the last ten minutes
SELECT j.*, t.id AS thread FROM threads t, judge_thread(t.id, '{"surge": true}', $2, NULL) j
WHERE t.id = $1 AND NOT t.surge AND NOT EXISTS (
    SELECT FROM acts x
    WHERE x.thread = t.id AND x.kind = 'calm' AND x.reason <> 'over' AND x.at > now() - interval '10 minutes'
)

-- calm: ends a surge that is over
SELECT j.*, t.id AS thread FROM threads t, judge_thread(t.id, '{"surge": false}', 'over', NULL) j
WHERE t.id = $1 AND t.surge

-- close_old: closes at most $3 threads of articles older than $1, as the service's own act
SELECT j.*, id AS thread FROM lapsed($1, $3) id, judge_thread(id, '{"state": "closed"}', $2, NULL) j

-- act: what an act was done to
SELECT comment, kind, ban FROM acts WHERE id = $1

-- undo: brings the comment of an act back to what it was, and those of all acts of its step where $3 is true; no row where
-- that can't be
SELECT j.*, (SELECT address FROM comments WHERE no = j.no) AS address
FROM undoable($1, $3) x, judge_comments(ARRAY[x.comment], x.was, 'undo #' || x.id, $2) j
WHERE x.kind IN ('publish', 'hold', 'remove', 'restore')

-- sign: keeps who of the newsroom writes under an op tag
INSERT INTO answers (thread, op, moderator) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- undo_dismissal: opens again what an act settled, or settles what that opened, and so for all acts of its step where $3 is
-- true; no row where that can't be
WITH done AS (
    INSERT INTO acts (moderator, kind, thread, comment, was, reason)
    SELECT $2, o.kind, x.thread, x.comment, o.was, 'undo #' || x.id
    FROM undoable($1, $3) x,
         LATERAL (SELECT CASE x.kind WHEN 'dismiss' THEN 'reopen' ELSE 'dismiss' END AS kind,
                         CASE x.kind WHEN 'dismiss' THEN 'dismissed' ELSE 'reported' END AS was) o
    WHERE x.kind IN ('dismiss', 'reopen')
    RETURNING thread, comment
)
SELECT d.thread, false AS raised, d.comment AS no, wire_epoch(t.epoch) AS thread_epoch, t.version AS thread_version,
       t.count AS thread_count
FROM done d JOIN threads t ON t.id = d.thread

-- undo_thread: brings the thread of an act back to what it was; no row where that can't be
SELECT j.*, x.thread
FROM undoable($1, false) x,
     judge_thread(x.thread, jsonb_build_object(side(x.kind), x.was), 'undo #' || x.id, $2) j
WHERE side(x.kind) IS NOT NULL

-- acts: the latest acts, the newest first, of one article or, where $1 is null, of all
SELECT x.id, x.at, x.moderator, x.kind, a.slug, x.comment, x.was, x.reason, x.ban, x.filter
FROM acts x LEFT JOIN articles a ON a.id = x.thread
WHERE $1::text IS NULL OR a.slug = $1
ORDER BY x.id DESC LIMIT $2

-- held: what waits for a moderator, the oldest first
SELECT c.no, c.at, c.text, a.slug FROM comments c JOIN articles a ON a.id = c.thread
WHERE c.state = 'held' ORDER BY c.no LIMIT $1
