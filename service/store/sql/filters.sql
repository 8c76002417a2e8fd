-- add: a filter, and the act; no row where one like it is in force, or $8 are, or there is no such article
WITH added AS (
    INSERT INTO filters (kind, value, action, section, article, reason)
    SELECT $1, $2, $3, $4, (SELECT id FROM articles WHERE slug = $5), $6
    WHERE ($5::text IS NULL OR EXISTS (SELECT FROM articles WHERE slug = $5))
      AND (SELECT count(*) FROM filters WHERE ended IS NULL) < $8
    ON CONFLICT DO NOTHING
    RETURNING id, reason
), told AS (
    INSERT INTO acts (moderator, kind, filter, was, reason) SELECT $7, 'filter', id, 'off', reason FROM added
)
SELECT id FROM added

-- room: whether there is such an article, and whether fewer than $2 filters are in force
SELECT $1::text IS NULL OR EXISTS (SELECT FROM articles WHERE slug = $1) AS placed,
       (SELECT count(*) FROM filters WHERE ended IS NULL) < $2 AS room

-- end: ends a filter, and the act; no row where it is not in force
WITH done AS (
    UPDATE filters SET ended = now() WHERE id = $1 AND ended IS NULL RETURNING id
), told AS (
    INSERT INTO acts (moderator, kind, filter, was, reason) SELECT $3, 'unfilter', id, 'on', $2 FROM done
)
SELECT id FROM done

-- in_force: the filters in force, the oldest first
SELECT f.id, f.kind, f.value, f.action, f.section, a.slug AS article, f.reason, f.begun, f.ended
FROM filters f LEFT JOIN articles a ON a.id = f.article
WHERE f.ended IS NULL ORDER BY f.id

-- ended: at most $1 that have ended, the last to end first
SELECT f.id, f.kind, f.value, f.action, f.section, a.slug AS article, f.reason, f.begun, f.ended
FROM filters f LEFT JOIN articles a ON a.id = f.article
WHERE f.ended IS NOT NULL ORDER BY f.ended DESC, f.id DESC LIMIT $1

-- one: a filter by its number
SELECT f.id, f.kind, f.value, f.action, f.section, a.slug AS article, f.reason, f.begun, f.ended
FROM filters f LEFT JOIN articles a ON a.id = f.article
WHERE f.id = $1

-- place: where thread $1 is, and whether nothing that address $2 wrote is published, as far as that is known
SELECT section, slug AS article,
       NOT EXISTS (SELECT FROM comments WHERE address = $2 AND state = 'published') AS first
FROM articles WHERE id = $1

-- latest: the last $3 comments in a section, below an article or anywhere, among the last $4 of the site; and whether each
-- was the first of its address, where that is known
SELECT c.no, c.at, c.text, a.section, a.slug AS article, a.title,
       c.address IS NOT NULL AND NOT EXISTS (
           SELECT FROM comments e WHERE e.address = c.address AND e.state = 'published' AND e.no < c.no
       ) AS first
FROM (SELECT * FROM comments ORDER BY no DESC LIMIT $4) c JOIN articles a ON a.id = c.thread
WHERE c.text IS NOT NULL AND ($1::text IS NULL OR lower(a.section) = lower($1)) AND ($2::text IS NULL OR a.slug = $2)
ORDER BY c.no DESC LIMIT $3
