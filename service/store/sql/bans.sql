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
    UPDATE bans SET lifted = now() WHERE id = $1 AND lifted IS NULL AND ends > now() RETURNING id
), told AS (
    INSERT INTO acts (moderator, kind, ban, was, reason) SELECT $3, 'lift', id, 'banned', $2 FROM lifted
)
SELECT id FROM lifted

-- in_force: at most $1 bans in force, those that last longest first, with how long that is
SELECT id, scope, reason, begun, ends, tag, ends - now() AS left
FROM bans WHERE tag IS NOT NULL AND lifted IS NULL AND ends > now() ORDER BY ends DESC, id LIMIT $1

-- undo: lifts the ban of an act that imposed it, or brings back the one of an act that lifted it; no row where that can't be
WITH act AS (
    SELECT id, kind, ban FROM acts x WHERE id = $1 AND ban_stands(x)
), changed AS (
    UPDATE bans b SET lifted = CASE act.kind WHEN 'ban' THEN now() END
    FROM act WHERE b.id = act.ban AND (b.lifted IS NULL) = (act.kind = 'ban')
    RETURNING act.id, act.kind, act.ban
), told AS (
    INSERT INTO acts (moderator, kind, ban, was, reason)
    SELECT $2, CASE kind WHEN 'ban' THEN 'lift' ELSE 'ban' END, ban, CASE kind WHEN 'ban' THEN 'banned' ELSE 'free' END,
           'undo #' || id
    FROM changed
)
SELECT ban FROM changed
