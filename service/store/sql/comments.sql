-- post: a batch of drafts, in one call that commits by itself
SELECT * FROM post_comments($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- retract: erases a comment for who knows its op tag
SELECT * FROM retract_comment($1, $2, $3)

-- standing: those ops, each in its thread, under which a comment stands
SELECT op FROM unnest($1::bigint[], $2::uuid[]) AS asked (thread, op) JOIN comments USING (thread, op)

-- hour: the hour by the database's clock, which all workers share
SELECT floor(extract(epoch FROM now()) / 3600)::bigint

-- since: where a thread stands, and the comments changed after version $2, the last $3 of them, each as it is now
SELECT wire_epoch(t.epoch) AS thread_epoch, t.version AS thread_version, t.count AS thread_count,
       t.state AS thread_state, t.slow AS thread_slow, t.surge AS thread_surge, t.pinned AS thread_pinned,
       t.state_version AS thread_state_version, c.no, c.thread, c.version, c.at, c.state, c.text, c.author, c.address
FROM threads t
LEFT JOIN LATERAL (
    SELECT * FROM comments WHERE thread = t.id AND version > $2 ORDER BY version DESC LIMIT $3
) c ON true
WHERE t.id = $1 AND t.state <> 'none'
ORDER BY c.version

-- renew: a new epoch for a thread whose history went back below version $3, unless it has one by now
UPDATE threads SET epoch = left(replace(gen_random_uuid()::text, '-', ''), 12)
WHERE id = $1 AND wire_epoch(epoch) = $2 AND version < $3

-- window: where a thread stands, with at most $3 comments below number $2 and at most $4 from it on, in `no` order
SELECT wire_epoch(t.epoch) AS thread_epoch, t.version AS thread_version, t.count AS thread_count,
       t.state AS thread_state, t.slow AS thread_slow, t.surge AS thread_surge, t.pinned AS thread_pinned,
       t.state_version AS thread_state_version, c.no, c.thread, c.version, c.at, c.state, c.text, c.author, c.address
FROM threads t
LEFT JOIN LATERAL (
    (SELECT * FROM comments WHERE thread = t.id AND version IS NOT NULL AND no < $2 ORDER BY no DESC LIMIT $3)
    UNION ALL
    (SELECT * FROM comments WHERE thread = t.id AND version IS NOT NULL AND no >= $2 ORDER BY no LIMIT $4)
) c ON true
WHERE t.id = $1 AND t.state <> 'none'
ORDER BY c.no

-- thread: the thread of an article
SELECT t.id FROM articles a JOIN threads t USING (id) WHERE a.slug = $1 AND t.state <> 'none'

-- positions: where many threads stand
SELECT id, wire_epoch(epoch) AS epoch, version FROM threads WHERE id = ANY ($1::bigint[]) AND state <> 'none'

-- braked: the threads that ask more of who writes than others do
SELECT id, slow, surge FROM threads WHERE (slow > 0 OR surge) AND state <> 'none'

-- placed: a comment wherever it stands, with its article
SELECT a.slug, a.title, c.no, c.thread, c.version, c.at, c.state, c.text, c.author, c.address
FROM comments c JOIN threads t ON t.id = c.thread JOIN articles a ON a.id = t.id
WHERE c.no = $1 AND c.version IS NOT NULL AND t.state <> 'none'

-- place: the article below which a comment stands, and how many stand after it, counted up to $2
SELECT a.slug, (
    SELECT count(*) FROM (
        SELECT FROM comments n WHERE n.thread = c.thread AND n.version IS NOT NULL AND n.no > c.no LIMIT $2
    ) newer
) AS newer
FROM comments c JOIN threads t ON t.id = c.thread JOIN articles a ON a.id = t.id
WHERE c.no = $1 AND c.version IS NOT NULL AND t.state <> 'none'
