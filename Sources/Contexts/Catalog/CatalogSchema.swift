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
    // Classes of this platform's own, never deleted: a node with the periods of its name and mapping. What an existing
    // catalogue system was moved in as: which entry became which, from what content, and what did not fit.
    .adding("008 local classes and moving in", localClasses + movedIn)

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
