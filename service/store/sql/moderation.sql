-- judge: brings comments into a state, with a reason and in whose name
SELECT * FROM judge_comments($1, $2, $3, $4)

-- judge_thread: opens, closes, holds or slows the thread of an article; null leaves one of the two as it is
SELECT j.*, t.id AS thread FROM articles a JOIN threads t USING (id), judge_thread(t.id, $2, $3, $4, $5) j WHERE a.slug = $1

-- acts: the latest acts, the newest first, of one article or, where $1 is null, of all
SELECT x.id, x.at, x.moderator, x.kind, a.slug, x.comment, x.was, x.reason, x.ban
FROM acts x LEFT JOIN articles a ON a.id = x.thread
WHERE $1::text IS NULL OR a.slug = $1
ORDER BY x.id DESC LIMIT $2

-- held: what waits for a moderator, the oldest first
SELECT c.no, c.at, c.text, a.slug FROM comments c JOIN articles a ON a.id = c.thread
WHERE c.state = 'held' ORDER BY c.no LIMIT $1
