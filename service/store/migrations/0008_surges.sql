-- Few threads ask more of who writes than others do, and every worker reads those every two seconds.
CREATE INDEX threads_braked ON threads (id) WHERE slow > 0 OR surge;
