-- sweep: erases what was kept for long enough, in one step; how much, or null where somebody else is at it
SELECT sweep($1, $2, $3)
