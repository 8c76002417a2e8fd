-- version: what differs when anything that the desk shows does: the last act, the last comment, the held ones
SELECT concat_ws('.',
    (SELECT max(id) FROM acts),
    (SELECT max(no) FROM comments),
    (SELECT count(*) || '.' || coalesce(sum(no), 0) FROM (SELECT no FROM comments WHERE state = 'held' ORDER BY no LIMIT 1000) h)
)

-- waiting: how many are held, counted up to $1
SELECT count(*) FROM (SELECT FROM comments WHERE state = 'held' LIMIT $1) held

-- held: what waits, the oldest first
SELECT c.no, c.at, c.state, c.version IS NOT NULL AS seen, c.text, c.reason, a.slug, a.title, t.state AS thread_state
FROM comments c JOIN articles a ON a.id = c.thread JOIN threads t ON t.id = c.thread
WHERE c.state = 'held' ORDER BY c.no LIMIT $1

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
SELECT x.id, x.at, x.moderator, x.kind, a.slug, a.title, x.comment, x.was, x.reason, stands(x) AS stands
FROM acts x JOIN articles a ON a.id = x.thread
WHERE x.id < $1 ORDER BY x.id DESC LIMIT $2

-- last: the latest act of a moderator that can be undone and is no undoing itself, among the latest $2
SELECT x.id, x.at, x.moderator, x.kind, a.slug, a.title, x.comment, x.was, x.reason, true AS stands
FROM acts x JOIN articles a ON a.id = x.thread
WHERE x.id IN (SELECT id FROM acts WHERE moderator = $1 ORDER BY id DESC LIMIT $2)
  AND NOT starts_with(x.reason, 'undo #') AND stands(x)
ORDER BY x.id DESC LIMIT 1

-- threads: the latest articles that have one, and how it stands
SELECT a.slug, a.title, t.state, t.count AS comments, t.slow
FROM articles a JOIN threads t USING (id)
WHERE t.state <> 'none' ORDER BY a.published_at DESC, a.id DESC LIMIT $1
