-- add: a new moderator; no row where the name is taken
INSERT INTO moderators (name, password, role) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING RETURNING name

-- list: every moderator, with how many sessions are open and when one was last used
SELECT m.name, m.role, m.disabled, count(s.token) AS sessions, max(s.seen) AS seen
FROM moderators m
LEFT JOIN sessions s ON s.moderator = m.id AND s.ends > now() AND s.seen > now() - $1::interval
GROUP BY m.id ORDER BY m.name

-- disable: lets a moderator in no more, or again
UPDATE moderators SET disabled = $2 WHERE name = $1 RETURNING id

-- password: a new one
UPDATE moderators SET password = $2 WHERE name = $1 RETURNING id

-- revoke: ends every session of a moderator
DELETE FROM sessions WHERE moderator = (SELECT id FROM moderators WHERE name = $1)

-- known: the password of who may sign in
SELECT password FROM moderators WHERE name = $1 AND NOT disabled

-- begin: a session for who just showed that password, and none where it was changed meanwhile; what is over goes
WITH over AS (DELETE FROM sessions WHERE ends <= now() OR seen <= now() - $5::interval)
INSERT INTO sessions (token, moderator, ends)
SELECT $3, id, now() + $4::interval FROM moderators
WHERE name = $1 AND password = $2 AND NOT disabled
FOR SHARE
RETURNING token

-- session: who it is, and it was used just now; no row where it is over
WITH used AS (
    UPDATE sessions SET seen = now()
    WHERE token = $1 AND seen < now() - interval '1 minute' AND seen > now() - $2::interval
)
SELECT m.name, m.role FROM sessions s JOIN moderators m ON m.id = s.moderator
WHERE s.token = $1 AND s.ends > now() AND s.seen > now() - $2::interval AND NOT m.disabled

-- end: ends one session
DELETE FROM sessions WHERE token = $1
