-- publish: adds or updates an article; says which
SELECT publish_article($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- picture_put: keeps a picture under the hash of its bytes
INSERT INTO pictures (name, media_type, data) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING

-- picture: a picture's bytes
SELECT media_type, data FROM pictures WHERE name = $1

-- article: one article, whole
SELECT id, slug, revision, title, author, published_at, section, summary, html, image, image_credit, tags
FROM articles WHERE slug = $1

-- state: what a cached page of an article depends on
SELECT a.id, a.revision, t.state <> 'none' AS has_thread, wire_epoch(t.epoch) AS epoch, t.version
FROM articles a JOIN threads t USING (id) WHERE a.slug = $1

-- recent: the latest articles, of one section or, where $1 is null, of all
SELECT a.slug, a.title, a.author, a.published_at, a.section, a.summary, a.image, t.count, t.state <> 'none' AS has_thread
FROM articles a JOIN threads t USING (id)
WHERE $1::text IS NULL OR lower(a.section) = lower($1)
ORDER BY a.published_at DESC, a.id DESC LIMIT $2

-- popular: the most discussed of the latest 200 articles
SELECT a.slug, a.title, a.author, a.published_at, a.section, a.summary, a.image, t.count, t.state <> 'none' AS has_thread
FROM (SELECT * FROM articles ORDER BY published_at DESC, id DESC LIMIT 200) a JOIN threads t USING (id)
ORDER BY t.count DESC, a.published_at DESC, a.id DESC LIMIT $1

-- sections: the latest $1 articles of every section among the latest 500, the section with the latest first
SELECT slug, title, author, published_at, section, summary, image, count, has_thread
FROM (
    SELECT a.*, t.count, t.state <> 'none' AS has_thread,
           row_number() OVER (PARTITION BY lower(section) ORDER BY published_at DESC, a.id DESC) AS place,
           max(published_at) OVER (PARTITION BY lower(section)) AS latest
    FROM (SELECT * FROM articles ORDER BY published_at DESC, id DESC LIMIT 500) a JOIN threads t USING (id)
) ranked
WHERE place <= $1
ORDER BY latest DESC, lower(section), place

-- any: whether there is any article at all
SELECT EXISTS (SELECT FROM articles)
