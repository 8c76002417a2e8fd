-- Articles, their threads, and the comments.

CREATE TABLE articles (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug         text NOT NULL UNIQUE,
    revision     bigint NOT NULL DEFAULT 1,
    title        text NOT NULL,
    author       text NOT NULL,
    published_at timestamptz NOT NULL,
    section      text NOT NULL,
    summary      text NOT NULL,
    html         text NOT NULL,
    image        text,
    image_credit text,
    tags         text[] NOT NULL,
    comments     text NOT NULL CHECK (comments IN ('open', 'held', 'closed', 'none'))
);
CREATE INDEX articles_recent ON articles (published_at DESC, id DESC);
CREATE INDEX articles_section ON articles (lower(section), published_at DESC, id DESC);

CREATE TABLE pictures (
    name       text PRIMARY KEY,
    media_type text NOT NULL,
    data       bytea NOT NULL
);

-- One narrow row an article: a hot thread rewrites few bytes, in place. `state` is 'none' where an article has no
-- thread; `state_version` is the version at which state or slow last changed.
CREATE TABLE threads (
    id            bigint PRIMARY KEY REFERENCES articles,
    epoch         text NOT NULL DEFAULT left(replace(gen_random_uuid()::text, '-', ''), 12),
    version       bigint NOT NULL DEFAULT 0,
    count         bigint NOT NULL DEFAULT 0,
    state         text NOT NULL CHECK (state IN ('open', 'held', 'closed', 'none')),
    slow          integer NOT NULL DEFAULT 0,
    state_version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- `version` is null while a comment was never published; `text` is null once it was erased. `op` and `text_tag` are
-- keyed hashes: an act repeated is recognised, and neither the op nor the erased text can be read back.
CREATE TABLE comments (
    no       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    thread   bigint NOT NULL REFERENCES threads,
    version  bigint,
    op       uuid NOT NULL,
    text_tag bytea NOT NULL,
    text     text,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    state    text NOT NULL CHECK (state IN ('published', 'held', 'retracted', 'removed'))
);
CREATE UNIQUE INDEX comments_op ON comments (thread, op);
CREATE UNIQUE INDEX comments_changes ON comments (thread, version);
CREATE INDEX comments_windows ON comments (thread, no) WHERE version IS NOT NULL;

-- The epoch on the wire: the thread's own, and the timeline that this server writes, so that a promoted standby,
-- which may have lost the last commits, begins a new one.
CREATE FUNCTION wire_epoch(epoch text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT epoch || '.' || ltrim(left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), '0')
$$;

-- Posts a batch, in one call that commits by itself. A row for every draft, in order: the comment that stands for its
-- op, old or new, or no comment (`no` is null) where the thread refuses; with where the thread then stands.
-- `ops` is each draft's op; `before` and `after` are other ops under which the same act may stand already.
CREATE FUNCTION post_comments(thread_ids bigint[], ops uuid[], before uuid[], after uuid[], texts text[], tags bytea[])
RETURNS TABLE (no bigint, version bigint, at timestamptz, state text, text_tag bytea, fresh boolean,
               thread_state text, thread_epoch text, thread_version bigint, thread_count bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM threads WHERE id = ANY (thread_ids) ORDER BY id FOR UPDATE;
    -- A later statement, so that its snapshot is taken under the locks: under READ COMMITTED the one that waited
    -- for a lock would still see the ops as they were before it.
    RETURN QUERY
    WITH drafts AS (
        SELECT d.* FROM unnest(thread_ids, ops, before, after, texts, tags)
            WITH ORDINALITY AS d (thread, op, before, after, text, tag, place)
    ), standing AS (
        SELECT DISTINCT ON (d.place) d.place, c.no, c.version, c.at, c.state, c.text_tag
        FROM drafts d JOIN comments c ON c.thread = d.thread AND c.op IN (d.op, d.before, d.after)
        ORDER BY d.place, c.no
    ), fresh AS (
        SELECT d.*, t.state, t.version + row_number() OVER (PARTITION BY d.thread ORDER BY d.place) AS version
        FROM drafts d JOIN threads t ON t.id = d.thread
        WHERE t.state IN ('open', 'held') AND NOT EXISTS (SELECT FROM standing s WHERE s.place = d.place)
    ), inserted AS (
        INSERT INTO comments (thread, version, op, text_tag, text, state)
        SELECT thread, CASE state WHEN 'open' THEN version END, op, tag, text,
               CASE state WHEN 'open' THEN 'published' ELSE 'held' END
        FROM fresh ORDER BY place
        RETURNING thread, op, no, version, at, state, text_tag
    ), raised AS (
        UPDATE threads t SET version = t.version + n.published, count = t.count + n.published
        FROM (SELECT thread, count(*) AS published FROM inserted WHERE version IS NOT NULL GROUP BY thread) n
        WHERE t.id = n.thread
        RETURNING t.id, t.version, t.count
    )
    SELECT coalesce(s.no, i.no), coalesce(s.version, i.version), coalesce(s.at, i.at), coalesce(s.state, i.state),
           coalesce(s.text_tag, i.text_tag), i.no IS NOT NULL,
           t.state, wire_epoch(t.epoch), coalesce(r.version, t.version), coalesce(r.count, t.count)
    FROM drafts d
    LEFT JOIN standing s ON s.place = d.place
    LEFT JOIN inserted i ON i.thread = d.thread AND i.op = d.op AND s.no IS NULL
    LEFT JOIN threads t ON t.id = d.thread
    LEFT JOIN raised r ON r.id = d.thread
    ORDER BY d.place;
END $$;

-- Takes a comment back for who knows its op: its text is erased at once. No row where there is no such comment;
-- `yours` is false where the op is another's. `raised` says whether readers can see a difference.
CREATE FUNCTION retract_comment(thread_id bigint, comment_no bigint, comment_op uuid)
RETURNS TABLE (yours boolean, raised boolean, no bigint, version bigint, at timestamptz, state text, text_tag bytea,
               text text, fresh boolean, thread_epoch text, thread_version bigint, thread_count bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    t threads;
    c comments;
    mine boolean;
    visible boolean := false;
BEGIN
    SELECT * INTO t FROM threads WHERE id = thread_id AND state <> 'none' FOR UPDATE;
    SELECT * INTO c FROM comments WHERE no = comment_no AND thread = t.id FOR UPDATE;
    mine := c.op = comment_op;
    IF NOT FOUND OR (c.version IS NULL AND NOT mine) THEN
        RETURN;
    END IF;
    IF mine AND c.state IN ('published', 'held') THEN
        visible := c.version IS NOT NULL;
        IF visible THEN
            t.version := t.version + 1;
            t.count := t.count - (c.state = 'published')::int;
            c.version := t.version;
            UPDATE threads SET version = t.version, count = t.count WHERE id = t.id;
        END IF;
        c.state := 'retracted';
        c.text := NULL;
        UPDATE comments SET state = c.state, text = c.text, version = c.version WHERE no = c.no;
    END IF;
    RETURN QUERY SELECT mine, visible, c.no, c.version, c.at, c.state, c.text_tag, c.text, false,
                        wire_epoch(t.epoch), t.version, t.count;
END $$;

-- Adds an article, or updates the one of this slug where anything differs; what is declared of its thread is applied
-- when the declaration changes, so that loading a file again reopens nothing. Says what it did.
CREATE FUNCTION publish_article(a_slug text, a_title text, a_author text, a_published_at timestamptz, a_section text,
                                a_summary text, a_html text, a_image text, a_image_credit text, a_tags text[],
                                a_comments text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    old articles;
    article_id bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('articles'), hashtext(a_slug));  -- two loads of one new slug
    PERFORM FROM threads t JOIN articles a USING (id) WHERE a.slug = a_slug FOR UPDATE OF t;
    SELECT * INTO old FROM articles WHERE slug = a_slug FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO articles (slug, title, author, published_at, section, summary, html, image, image_credit, tags,
                              comments)
        VALUES (a_slug, a_title, a_author, a_published_at, a_section, a_summary, a_html, a_image, a_image_credit,
                a_tags, a_comments)
        RETURNING id INTO article_id;
        INSERT INTO threads (id, state) VALUES (article_id, a_comments);
        RETURN 'added';
    END IF;
    IF (old.title, old.author, old.published_at, old.section, old.summary, old.html, old.image, old.image_credit,
        old.tags, old.comments)
       IS NOT DISTINCT FROM
       (a_title, a_author, a_published_at, a_section, a_summary, a_html, a_image, a_image_credit, a_tags, a_comments)
    THEN
        RETURN 'unchanged';
    END IF;
    UPDATE articles
    SET revision = revision + 1, title = a_title, author = a_author, published_at = a_published_at,
        section = a_section, summary = a_summary, html = a_html, image = a_image, image_credit = a_image_credit,
        tags = a_tags, comments = a_comments
    WHERE id = old.id;
    IF old.comments <> a_comments THEN
        UPDATE threads SET state = a_comments, version = version + 1, state_version = version + 1
        WHERE id = old.id AND state <> a_comments;
    END IF;
    RETURN 'updated';
END $$;
