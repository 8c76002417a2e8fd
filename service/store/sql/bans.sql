-- impose: a ban on who wrote comment $1, and the act; no row where that is not known
WITH imposed AS (
    INSERT INTO bans (tag, scope, reason, ends)
    SELECT CASE $2 WHEN 'network' THEN network ELSE address END, $2, $4, now() + $3::interval
    FROM comments WHERE no = $1 AND address IS NOT NULL
    RETURNING *
), told AS (
    INSERT INTO acts (moderator, kind, ban, was, reason) SELECT $5, 'ban', id, 'free', reason FROM imposed
)
SELECT id, scope, reason, begun, ends FROM imposed

-- lift: ends a ban before its time, and the act; no row where it is not in force
WITH lifted AS (
    UPDATE bans SET lifted = now(), tag = NULL WHERE id = $1 AND lifted IS NULL AND ends > now() RETURNING id
), told AS (
    INSERT INTO acts (moderator, kind, ban, was, reason) SELECT $3, 'lift', id, 'banned', $2 FROM lifted
)
SELECT id FROM lifted

-- in_force: at most $1 bans in force, those that last longest first, with how long that is
SELECT id, scope, reason, begun, ends, tag, ends - now() AS left
FROM bans WHERE tag IS NOT NULL AND ends > now() ORDER BY ends DESC, id LIMIT $1
