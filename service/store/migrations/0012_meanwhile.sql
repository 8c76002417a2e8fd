-- What workers of the release before call while they go on beside this one.

-- Opens, closes, holds or slows a thread; null leaves one of the two as it is. As `judge_thread` of its terms.
CREATE FUNCTION judge_thread(thread_id bigint, new_state text, new_slow integer, why text, who text)
RETURNS TABLE (raised boolean, thread_epoch text, thread_version bigint, thread_count bigint, thread_state text,
               thread_slow integer)
LANGUAGE sql AS $$
    SELECT raised, thread_epoch, thread_version, thread_count, thread_state, thread_slow
    FROM judge_thread(thread_id, jsonb_build_object('state', new_state, 'slow', new_slow), why, who)
$$;
