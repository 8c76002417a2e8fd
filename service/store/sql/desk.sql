-- version: what differs when anything that the desk shows does: the last act, comment and report, what is held and reported
SELECT concat_ws('.',
    (SELECT max(id) FROM acts),
    (SELECT max(no) FROM comments),
    (SELECT count(*) || '.' || coalesce(sum(no), 0) FROM (SELECT no FROM comments WHERE state = 'held' ORDER BY no LIMIT 1000) h),
    (SELECT max(id) FROM reports),
    (SELECT count(*) || '.' || coalesce(sum(id), 0) FROM (SELECT id FROM reports WHERE open ORDER BY comment LIMIT 1000) r)
)

-- waiting: how many are held or reported, counted up to $1
SELECT count(*) FROM (
    (SELECT no FROM comments WHERE state = 'held' LIMIT $1)
    UNION (SELECT DISTINCT comment FROM reports WHERE open LIMIT $1)
    LIMIT $1
) waiting

-- queue: what waits, held or reported, the oldest first
WITH waiting AS (
    (SELECT no FROM comments WHERE state = 'held' ORDER BY no LIMIT $1)
    UNION (SELECT DISTINCT comment FROM reports WHERE open ORDER BY comment LIMIT $1)
)
SELECT c.no, c.at, c.state, c.version IS NOT NULL AS seen, c.text, c.reason, a.slug, a.title, t.state AS thread_state
FROM comments c JOIN articles a ON a.id = c.thread JOIN threads t ON t.id = c.thread
WHERE c.no IN (SELECT no FROM waiting) ORDER BY c.no LIMIT $1

-- recent: the latest comments of all threads, below number $1
SELECT c.no, c.at, c.state, c.version IS NOT NULL AS seen, c.text, c.reason, a.slug, a.title, t.state AS thread_state
FROM comments c JOIN articles a ON a.id = c.thread JOIN threads t ON t.id = c.thread
WHERE c.no < $1 ORDER BY c.no DESC LIMIT $2

-- found: those of the latest $4 whose text holds what is asked for, below number $1
SELECT c.no, c.at, c.state, c.version IS NOT NULL AS seen, c.text, c.reason, a.slug, a.title, t.state AS thread_state
FROM (SELECT * FROM comments ORDER BY no DESC LIMIT $4) c
JOIN articles a ON a.id = c.thread JOIN threads t ON t.id = c.thread
WHERE c.no < $1 AND c.text ILIKE $3 ORDER BY c.no DESC LIMIT $2

-- record: the latest acts below number $1, the newest first
SELECT x.id, x.at, x.moderator, x.kind, a.slug, a.title, x.comment, x.was, x.reason,
       CASE WHEN x.ban IS NULL THEN x.filter IS NULL AND stands(x) ELSE ban_stands(x) END AS stands, x.ban, x.filter,
       together(x) AS together
FROM acts x LEFT JOIN articles a ON a.id = x.thread
WHERE x.id < $1 ORDER BY x.id DESC LIMIT $2

-- last: the latest act of a moderator that can be undone and is no undoing itself, among the latest $2
SELECT x.id, x.at, x.moderator, x.kind, a.slug, a.title, x.comment, x.was, x.reason, true AS stands, x.ban, x.filter,
       together(x) AS together
FROM acts x LEFT JOIN articles a ON a.id = x.thread
WHERE x.id IN (SELECT id FROM acts WHERE moderator = $1 ORDER BY id DESC LIMIT $2)
  AND NOT starts_with(x.reason, 'undo #') AND x.filter IS NULL AND CASE WHEN x.ban IS NULL THEN stands(x) ELSE ban_stands(x) END
ORDER BY x.id DESC LIMIT 1

-- threads: the latest articles that have one, and how it stands
SELECT a.slug, a.title, t.state, t.count AS comments, t.surge, t.slow
FROM articles a JOIN threads t USING (id)
WHERE t.state <> 'none' ORDER BY a.published_at DESC, a.id DESC LIMIT $1

-- cards: the comments of these numbers, in their order
SELECT c.no, c.at, c.state, c.version IS NOT NULL AS seen, c.text, c.reason, a.slug, a.title, t.state AS thread_state
FROM comments c JOIN articles a ON a.id = c.thread JOIN threads t ON t.id = c.thread
WHERE c.no = ANY ($1::bigint[]) ORDER BY c.no

-- notes: what else the desk knows of these comments; others by the same address: those after now - $2, counted up to $3
SELECT c.no, c.author, w.moderator AS writer, t.pinned IS NOT DISTINCT FROM c.no AS pinned, c.address IS NOT NULL AS known,
       (SELECT count(*) FROM (
            SELECT FROM comments o WHERE o.address = c.address AND o.at > now() - $2::interval AND o.no <> c.no LIMIT $3
       ) others) AS others
FROM comments c JOIN threads t ON t.id = c.thread LEFT JOIN answers w ON w.thread = c.thread AND w.op = c.op
WHERE c.no = ANY ($1::bigint[])

-- beside: the numbers of the $2 comments before one in its thread, of itself, and of the $2 after it
(SELECT o.no FROM comments c JOIN comments o ON o.thread = c.thread AND o.no < c.no WHERE c.no = $1 ORDER BY o.no DESC LIMIT $2)
UNION ALL
(SELECT o.no FROM comments c JOIN comments o ON o.thread = c.thread AND o.no >= c.no WHERE c.no = $1 ORDER BY o.no LIMIT $2 + 1)

-- latest: the numbers of the latest $2 comments below an article
SELECT c.no FROM articles a JOIN comments c ON c.thread = a.id WHERE a.slug = $1 ORDER BY c.no DESC LIMIT $2

-- others: the numbers of the latest $2 comments from the same address, where that is known, this one among them
SELECT o.no FROM comments c JOIN comments o ON o.address = c.address WHERE c.no = $1 ORDER BY o.at DESC LIMIT $2

-- lately: those of them after now - $2 that readers can see or that wait, at most $3
SELECT o.no FROM comments c JOIN comments o ON o.address = c.address
WHERE c.no = $1 AND o.at > now() - $2::interval AND o.state IN ('published', 'held') ORDER BY o.at DESC LIMIT $3

-- articles: the latest, and how the thread of each stands
SELECT a.slug, a.title, a.section, a.published_at, a.revision, t.state, t.count AS comments
FROM articles a JOIN threads t USING (id) ORDER BY a.published_at DESC, a.id DESC LIMIT $1
