-- Filters: what a comment may not hold, what a moderator reads first, and what is trusted.

-- A filter is never deleted, but ended: the record names it by its number. It holds on the whole site, in one section or
-- below one article.
CREATE TABLE filters (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind    text NOT NULL CHECK (kind IN ('word', 'pattern', 'host', 'links', 'first')),
    value   text NOT NULL CHECK (length(value) <= 200),
    action  text NOT NULL CHECK (action IN ('refuse', 'hold', 'pass')),
    section text CHECK (length(section) <= 200),
    article bigint REFERENCES articles,
    reason  text NOT NULL CHECK (length(reason) <= 80),
    begun   timestamptz NOT NULL DEFAULT now(),
    ended   timestamptz,
    CHECK (section IS NULL OR article IS NULL)
);
CREATE UNIQUE INDEX filters_same ON filters (kind, value, lower(coalesce(section, '')), coalesce(article, 0)) WHERE ended IS NULL;

ALTER TABLE acts ADD CONSTRAINT acts_filter_fkey FOREIGN KEY (filter) REFERENCES filters;

-- What an address has written, and when, while that is known.
CREATE INDEX comments_address ON comments (address, at) WHERE address IS NOT NULL;
