-- sweep: erases what was kept for long enough, in one step; how much, or null where somebody else is at it
SELECT sweep($1, $2, $3)

-- forget_lifted: erases the hashes of bans that were lifted for so long that nobody undoes it
UPDATE bans SET tag = NULL WHERE tag IS NOT NULL AND lifted <= now() - $1::interval
