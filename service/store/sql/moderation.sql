-- judge: brings comments into a state, with a reason and in whose name
SELECT j.*, (SELECT address FROM comments WHERE no = j.no) AS address FROM judge_comments($1, $2, $3, $4) j

-- judge_thread: changes the sides of an article's thread that $2 names
SELECT j.*, t.id AS thread FROM articles a JOIN threads t USING (id), judge_thread(t.id, $2, $3, $4) j WHERE a.slug = $1

-- close_old: closes at most $3 threads of articles older than $1, as the service's own act
SELECT j.*, id AS thread FROM lapsed($1, $3) id, judge_thread(id, '{"state": "closed"}', $2, NULL) j

-- act: what an act was done to
SELECT comment, kind FROM acts WHERE id = $1

-- undo: brings the comment of an act back to what it was; no row where that can't be
SELECT j.*, (SELECT address FROM comments WHERE no = j.no) AS address
FROM undoable($1) x, judge_comments(ARRAY[x.comment], x.was, 'undo #' || x.id, $2) j
WHERE x.kind IN ('publish', 'hold', 'remove', 'restore')

-- undo_thread: brings the thread of an act back to what it was; no row where that can't be
SELECT j.*, x.thread
FROM undoable($1) x,
     judge_thread(x.thread, jsonb_build_object(side(x.kind), x.was), 'undo #' || x.id, $2) j
WHERE side(x.kind) IS NOT NULL

-- acts: the latest acts, the newest first, of one article or, where $1 is null, of all
SELECT x.id, x.at, x.moderator, x.kind, a.slug, x.comment, x.was, x.reason, x.ban
FROM acts x LEFT JOIN articles a ON a.id = x.thread
WHERE $1::text IS NULL OR a.slug = $1
ORDER BY x.id DESC LIMIT $2

-- held: what waits for a moderator, the oldest first
SELECT c.no, c.at, c.text, a.slug FROM comments c JOIN articles a ON a.id = c.thread
WHERE c.state = 'held' ORDER BY c.no LIMIT $1
