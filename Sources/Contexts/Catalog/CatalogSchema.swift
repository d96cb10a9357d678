package import Storage

package enum CatalogSchema {
  package static let migrations = Migrations("catalog")
    .adding(
      "001 resources",
      """
      CREATE TABLE catalog_sequence (name TEXT PRIMARY KEY, last BIGINT NOT NULL CHECK (last > 0));
      CREATE TABLE catalog_resource (
        id TEXT PRIMARY KEY, provider TEXT NOT NULL, code TEXT UNIQUE, latest BIGINT NOT NULL CHECK (latest > 0),
        published BIGINT CHECK (published <= latest), made_at TEXT NOT NULL);
      CREATE INDEX catalog_resource_by_provider ON catalog_resource (provider, id);
      CREATE TABLE catalog_version (
        resource TEXT NOT NULL REFERENCES catalog_resource (id), version BIGINT NOT NULL CHECK (version > 0),
        state TEXT NOT NULL, provider TEXT NOT NULL, provider_name TEXT NOT NULL, provider_code TEXT NOT NULL,
        system TEXT REFERENCES inventory_system (id), name TEXT NOT NULL, folded_name TEXT NOT NULL,
        classes TEXT NOT NULL, abstract TEXT NOT NULL,
        format TEXT NOT NULL, sharing_type TEXT NOT NULL, sharing_condition TEXT NOT NULL, method_class TEXT NOT NULL,
        method_type TEXT NOT NULL, open_type TEXT NOT NULL, open_condition TEXT NOT NULL, cycle TEXT NOT NULL,
        related TEXT NOT NULL, secrecy TEXT NOT NULL, level TEXT NOT NULL,
        mount_source TEXT REFERENCES inventory_source (id), mount_schema TEXT, mount_table TEXT, mount_keys TEXT,
        mount_cursor TEXT, revision BIGINT NOT NULL, lists TEXT NOT NULL, changed_at TEXT NOT NULL, submitted_at TEXT,
        review_due TEXT, published_on TEXT, PRIMARY KEY (resource, version),
        CHECK ((mount_source IS NULL) = (mount_table IS NULL)));
      CREATE INDEX catalog_version_by_state ON catalog_version (state, submitted_at);
      CREATE INDEX catalog_version_by_provider ON catalog_version (provider, state, changed_at);
      CREATE INDEX catalog_version_by_name ON catalog_version (provider, folded_name);
      CREATE INDEX catalog_version_by_source ON catalog_version (mount_source);
      CREATE TABLE catalog_item (
        resource TEXT NOT NULL, version BIGINT NOT NULL, position BIGINT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
        column_name TEXT NOT NULL, data_type TEXT NOT NULL, length BIGINT, scale BIGINT, is_nullable BOOLEAN NOT NULL,
        is_key BOOLEAN NOT NULL, carried_as TEXT, semantic TEXT, description TEXT NOT NULL, sharing_type TEXT,
        sharing_condition TEXT NOT NULL, grade TEXT NOT NULL, evidence_valid BIGINT, evidence_looked BIGINT,
        PRIMARY KEY (resource, version, position),
        UNIQUE (resource, version, id), FOREIGN KEY (resource, version) REFERENCES catalog_version (resource, version));
      CREATE TABLE catalog_event (
        resource TEXT NOT NULL, position BIGINT NOT NULL, version BIGINT NOT NULL, at TEXT NOT NULL,
        person TEXT NOT NULL, organisation TEXT NOT NULL, event TEXT NOT NULL, words TEXT NOT NULL,
        PRIMARY KEY (resource, position),
        FOREIGN KEY (resource, version) REFERENCES catalog_version (resource, version));
      """
    )
    // What is searched: one row for each resource in force. `place` is the order of results, kept ahead of time, so that
    // nothing has to be ranked when thousands of entries hold a word.
    .adding(
      "002 search",
      sqlite: entries("INTEGER") + """
        CREATE VIRTUAL TABLE catalog_search USING fts5(name, body, tokenize = "unicode61 remove_diacritics 0");
        """,
      postgres: entries("BIGINT") + """
        CREATE TABLE catalog_search (
          place BIGINT PRIMARY KEY REFERENCES catalog_entry (place) ON DELETE CASCADE,
          name tsvector NOT NULL, body tsvector NOT NULL);
        CREATE INDEX catalog_search_name ON catalog_search USING gin (name) WITH (fastupdate = off);
        CREATE INDEX catalog_search_body ON catalog_search USING gin (body) WITH (fastupdate = off);
        """
    )
    // Filters are tokens of the index like words, and their counts are kept in memory: nothing is joined or grouped at the
    // time of asking. `catalog_search_state` says which tokens the index holds; one of older tokens is made anew.
    .adding(
      "003 filters in the index",
      sqlite: """
        DROP TABLE catalog_search;
        CREATE VIRTUAL TABLE catalog_search USING fts5(tokens, tokenize = "unicode61 remove_diacritics 0");

        """ + state,
      postgres: """
        DROP TABLE catalog_search;
        CREATE TABLE catalog_search (
          place BIGINT PRIMARY KEY REFERENCES catalog_entry (place) ON DELETE CASCADE, tokens tsvector NOT NULL);
        CREATE INDEX catalog_search_tokens ON catalog_search USING gin (tokens) WITH (fastupdate = off);

        """ + state
    )
    // Mounted and fresh are measured, not declared: what was declared is forgotten until it is. A measurement changes an
    // entry under its place, so it carries a number of its own by which the board of filters follows.
    .adding(
      "004 measured conditions",
      """
      ALTER TABLE catalog_entry ADD COLUMN freshness TEXT NOT NULL DEFAULT 'unknown'
        CHECK (freshness IN ('current', 'late', 'unknown'));
      ALTER TABLE catalog_entry ADD COLUMN condition_change BIGINT NOT NULL DEFAULT 0;
      UPDATE catalog_entry SET is_mounted = FALSE;
      CREATE INDEX catalog_entry_by_condition_change ON catalog_entry (condition_change);
      """
    )
    // What followers of the catalogue are told, in the order in which it came to hold; and by which key of its own a
    // department knows an entry. What happened before there was a feed is told as well, so that a follower who begins at
    // nought gets everything.
    .adding(
      "005 changes and references",
      """
      CREATE TABLE catalog_change (
        seq BIGINT PRIMARY KEY CHECK (seq > 0), resource TEXT NOT NULL REFERENCES catalog_resource (id),
        version BIGINT NOT NULL, code TEXT NOT NULL, provider TEXT NOT NULL, event TEXT NOT NULL, at TEXT NOT NULL);
      INSERT INTO catalog_change (seq, resource, version, code, provider, event, at)
        SELECT ROW_NUMBER() OVER (ORDER BY e.at, e.resource, e.position), e.resource, e.version, r.code, r.provider,
          CASE e.event WHEN 'approve' THEN 'registered' WHEN 'publish' THEN 'published' ELSE 'withdrawn' END, e.at
        FROM catalog_event e JOIN catalog_resource r ON r.id = e.resource
        WHERE e.event IN ('approve', 'publish', 'withdraw') AND r.code IS NOT NULL;
      INSERT INTO catalog_sequence (name, last)
        SELECT 'change', told.last FROM (SELECT MAX(seq) AS last FROM catalog_change) AS told
        WHERE told.last IS NOT NULL;
      CREATE TABLE catalog_reference (
        provider TEXT NOT NULL, reference TEXT NOT NULL, resource TEXT NOT NULL REFERENCES catalog_resource (id),
        PRIMARY KEY (provider, reference));
      CREATE INDEX catalog_reference_by_resource ON catalog_reference (resource);
      """
    )
    .adding("006 online and in force", online)
    .adding(
      "007 review, change and likeness",
      sqlite: review(due: "json_extract(review_due, '$.date')", compact: " WITHOUT ROWID"),
      postgres: review(due: "CAST(review_due AS jsonb) ->> 'date'", compact: "")
    )
    // The engines' full text finds fast and counts slowly: ten thousand hits of a frequent word are ten thousand visits of
    // rows on PostgreSQL. An index of our own, the same on both, is walked from the newest place down and left when enough is
    // known. Written anew by `renewSearch`, since it is empty now.
    .adding(
      "008 postings",
      sqlite: postings("TEXT NOT NULL") + " WITHOUT ROWID;" + forgotten,
      postgres: postings("TEXT COLLATE \"C\" NOT NULL") + ";" + """

        ALTER TABLE catalog_posting ALTER COLUMN places SET STORAGE PLAIN;
        ALTER TABLE catalog_posting ALTER COLUMN positions SET STORAGE EXTERNAL;
        """ + forgotten
    )
    // What Supervision counts and lists by department, each from an index that holds nothing else (`EntryCounts`).
    .adding(
      "009 entries that lack something",
      """
      CREATE INDEX catalog_entry_without_items ON catalog_entry (provider, place) WHERE items = 0;
      CREATE INDEX catalog_version_by_system ON catalog_version (system, state);
      CREATE INDEX catalog_version_mounted ON catalog_version (provider, resource)
        WHERE state = 'published' AND mount_source IS NOT NULL;
      CREATE INDEX catalog_version_without_mount ON catalog_version (provider, resource)
        WHERE state = 'published' AND mount_source IS NULL;
      CREATE INDEX catalog_version_without_system ON catalog_version (provider, resource)
        WHERE state = 'published' AND system IS NULL;
      CREATE INDEX catalog_version_without_condition ON catalog_version (provider, resource)
        WHERE state = 'published' AND sharing_type <> '1' AND sharing_condition = '';
      """
    )
    // Classes of this platform's own, never deleted: a node with the periods of its name and mapping. What an existing
    // catalogue system was moved in as: which entry became which, from what content, and what did not fit.
    .adding("010 local classes and moving in", localClasses + movedIn)
    // What did not fit is told by our element where the column is theirs.
    .adding(
      "011 elements of what did not fit", "ALTER TABLE catalog_move_finding ADD COLUMN element TEXT NOT NULL DEFAULT ''"
    )
    .adding(
      "012 duties to update",
      "CREATE INDEX catalog_version_by_change_due ON catalog_version (resource, version) WHERE change_due IS NOT NULL"
    )
    // The bands of what waits for a reviewer or to be published, which `catalog_alike` has not.
    .adding(
      "013 likeness under review",
      """
      CREATE TABLE catalog_alike_open (
        band BIGINT NOT NULL, resource TEXT NOT NULL, version BIGINT NOT NULL,
        PRIMARY KEY (band, resource));
      CREATE INDEX catalog_alike_open_by_resource ON catalog_alike_open (resource);
      CREATE INDEX catalog_version_open ON catalog_version (resource) WHERE state = 'submitted' OR state = 'approved';
      ALTER TABLE catalog_alike_state ADD COLUMN open_method BIGINT NOT NULL DEFAULT 0;
      """
    )
    // How many segments of the index are merged, and the last token that the next one has.
    .adding(
      "014 merged segments of the index",
      """
      ALTER TABLE catalog_search_state ADD COLUMN merged BIGINT NOT NULL DEFAULT 0;
      ALTER TABLE catalog_search_state ADD COLUMN merging TEXT;
      """
    )
    .adding(
      "015 what is offline",
      """
      CREATE INDEX catalog_resource_offline ON catalog_resource (online_at, id) WHERE online = 'offline';
      CREATE INDEX catalog_resource_offline_by_provider ON catalog_resource (provider, online_at, id)
        WHERE online = 'offline';
      """
    )
    // Items are read and written with their version and never asked for one by one: `ItemDocument`.
    .adding(
      "016 items with their version, and who waits",
      sqlite: items(
        list: "json_group_array(json_object(\(itemMembers { "json(CASE WHEN \($0) THEN 'true' ELSE 'false' END)" })))"),
      postgres: items(list: "CAST(json_agg(json_build_object(\(itemMembers { $0 }))) AS TEXT)")
    )
    // Which draft a form began, by a digest of its key and of what it asked for (`BegunDraft`).
    .adding(
      "017 forms that began drafts",
      """
      CREATE TABLE catalog_begun (
        person TEXT NOT NULL, form TEXT NOT NULL, resource TEXT NOT NULL REFERENCES catalog_resource (id),
        at TEXT NOT NULL, PRIMARY KEY (person, form));
      """
    )
    // Lists of items are longer than what PostgreSQL keeps as it is; its older method takes longer to pack one than to
    // write it. A server built without LZ4 goes on with that.
    .adding(
      "018 items packed fast",
      sqlite: "",
      postgres: """
        DO $$ BEGIN
          ALTER TABLE catalog_version ALTER COLUMN items SET COMPRESSION lz4;
        EXCEPTION WHEN feature_not_supported THEN NULL;
        END $$
        """
    )
    // A department's work in the order of its entries, as programs page through it, and by the last change with an order
    // among what an import wrote in one instant.
    .adding(
      "019 work in its order",
      """
      DROP INDEX catalog_version_by_provider;
      CREATE INDEX catalog_version_by_change ON catalog_version (provider, state, changed_at, resource);
      CREATE INDEX catalog_version_at_work ON catalog_version (provider, resource)
        WHERE state = 'draft' OR state = 'returned' OR state = 'submitted' OR state = 'approved'
      """)

  private static func postings(_ token: String) -> String {
    """
    DROP TABLE catalog_search;
    CREATE TABLE catalog_posting (
      block BIGINT NOT NULL, token \(token), places BLOB NOT NULL, positions BLOB NOT NULL, PRIMARY KEY (block, token))
    """
  }

  private static let forgotten = "\nUPDATE catalog_search_state SET tokens = 0;"

  private static let localClasses = """
    CREATE TABLE catalog_class (code TEXT PRIMARY KEY, parent TEXT, made_at TEXT NOT NULL);
    CREATE TABLE catalog_class_period (
      code TEXT NOT NULL REFERENCES catalog_class (code), valid_from TEXT NOT NULL, valid_to TEXT, name TEXT NOT NULL,
      national TEXT, used_by TEXT NOT NULL, successor TEXT, changed_at TEXT NOT NULL, changed_by TEXT NOT NULL,
      PRIMARY KEY (code, valid_from), CHECK (valid_to IS NULL OR valid_to > valid_from));
    CREATE TABLE catalog_class_state (
      one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL, mapping BIGINT NOT NULL);
    INSERT INTO catalog_class_state (one, version, mapping) VALUES (1, 0, 0);

    """

  private static let movedIn = """
    CREATE TABLE catalog_move_run (
      id TEXT PRIMARY KEY, source TEXT NOT NULL, folder TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
      person TEXT NOT NULL, read BIGINT NOT NULL, moved BIGINT NOT NULL, changed BIGINT NOT NULL, same BIGINT NOT NULL,
      left_out BIGINT NOT NULL, findings BIGINT NOT NULL);
    CREATE TABLE catalog_move_finding (
      run TEXT NOT NULL REFERENCES catalog_move_run (id), position BIGINT NOT NULL, file TEXT NOT NULL, line BIGINT NOT NULL,
      column_name TEXT NOT NULL, value TEXT NOT NULL, code TEXT NOT NULL, reason_zh TEXT NOT NULL, reason_en TEXT NOT NULL,
      action TEXT NOT NULL, resource TEXT REFERENCES catalog_resource (id), provider TEXT, PRIMARY KEY (run, position));
    CREATE INDEX catalog_move_finding_by_resource ON catalog_move_finding (resource, run, position);
    CREATE TABLE catalog_moved (
      source TEXT NOT NULL, old_id TEXT NOT NULL, old_code TEXT, resource TEXT NOT NULL REFERENCES catalog_resource (id),
      provider TEXT NOT NULL, version BIGINT NOT NULL, revision BIGINT NOT NULL, digest TEXT NOT NULL,
      findings BIGINT NOT NULL, moved_at TEXT NOT NULL, PRIMARY KEY (source, old_id));
    CREATE INDEX catalog_moved_by_resource ON catalog_moved (resource);
    CREATE INDEX catalog_moved_by_provider ON catalog_moved (provider, resource) WHERE findings > 0;
    CREATE TABLE catalog_moved_class (
      source TEXT NOT NULL, old_id TEXT NOT NULL, code TEXT NOT NULL, PRIMARY KEY (source, old_id));

    """

  private static let state = """
    DROP TABLE catalog_entry_class;
    DROP INDEX catalog_entry_facets;
    CREATE TABLE catalog_search_state (one BIGINT PRIMARY KEY CHECK (one = 1), tokens BIGINT NOT NULL);
    INSERT INTO catalog_search_state (one, tokens) VALUES (1, 0);
    """

  private static func entries(_ integer: String) -> String {
    """
    CREATE TABLE catalog_entry (
      place \(integer) PRIMARY KEY, resource TEXT NOT NULL UNIQUE REFERENCES catalog_resource (id),
      version BIGINT NOT NULL, code TEXT NOT NULL UNIQUE, name TEXT NOT NULL, abstract TEXT NOT NULL,
      provider TEXT NOT NULL, provider_name TEXT NOT NULL, classes TEXT NOT NULL, sharing_type TEXT NOT NULL,
      format TEXT NOT NULL, format_class TEXT NOT NULL, cycle TEXT NOT NULL, is_mounted BOOLEAN NOT NULL, items BIGINT NOT NULL,
      published_on TEXT NOT NULL);
    CREATE INDEX catalog_entry_facets ON catalog_entry (place, provider, sharing_type, format_class, cycle);
    CREATE INDEX catalog_entry_by_provider ON catalog_entry (provider, place);
    CREATE TABLE catalog_entry_class (
      place \(integer) NOT NULL REFERENCES catalog_entry (place) ON DELETE CASCADE, depth BIGINT NOT NULL,
      node TEXT NOT NULL, PRIMARY KEY (place, depth, node));
    CREATE INDEX catalog_entry_class_by_node ON catalog_entry_class (node, place);

    """
  }
}
