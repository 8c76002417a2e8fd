-- file: files a report or an appeal, and holds the comment where that makes enough of them; no row where there is no such one
SELECT r.below, j.*
FROM file_report($1, $2, $3, $4, $5) r
LEFT JOIN LATERAL judge_comments(r.due, 'held', r.reported || ' reports', NULL) j ON true

-- dismiss: settles what is open on comments in state $2, or in any where it is null; on which something was
SELECT dismiss_reports($1, $2, $3, $4)

-- open: what is open on comments: how much for each reason, and the latest $2 notes
SELECT comment, reason, count(*) AS times,
       coalesce((array_agg(note ORDER BY id DESC) FILTER (WHERE note IS NOT NULL))[1:$2], '{}') AS notes
FROM reports WHERE comment = ANY ($1::bigint[]) AND open
GROUP BY comment, reason ORDER BY comment, count(*) DESC, reason

-- latest: the latest reports, the newest first; where $1, those that are settled too
SELECT at, comment, reason, open, note FROM reports WHERE open OR $1 ORDER BY id DESC LIMIT $2

-- done: what was done in an article's thread, by day in zone $2, kind and reason, among its latest $4 acts; a reason that is
-- not one of $3 is told as '', for anything may stand there
SELECT (at AT TIME ZONE $2)::date AS day, kind, why AS reason, count(*) AS times
FROM (
    SELECT at, kind, CASE WHEN reason ~ '^[0-9]+ reports$' THEN 'reports' WHEN reason ~ '^undo #[0-9]+$' THEN 'undo'
                          WHEN reason = ANY ($3::text[]) THEN reason ELSE '' END AS why
    FROM acts WHERE thread = (SELECT id FROM articles WHERE slug = $1) ORDER BY id DESC LIMIT $4
) latest
GROUP BY 1, 2, 3 ORDER BY 1 DESC, 4 DESC, 2, 3

-- comment: a comment as evidence
SELECT c.no, a.slug AS article, a.title, c.at, c.state, c.judged_at, c.reason, c.text
FROM comments c JOIN articles a ON a.id = c.thread WHERE c.no = $1

-- about: everything that was reported of a comment
SELECT id, at, reason, note, open, settled FROM reports WHERE comment = $1 ORDER BY id

-- acts: everything that was done with a comment
SELECT id, at, moderator, kind, was, reason FROM acts WHERE comment = $1 ORDER BY id
