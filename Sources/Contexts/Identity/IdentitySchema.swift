package import Storage

package enum IdentitySchema {
  package static let migrations = Migrations("identity").adding(
    "001 organisations and people",
    """
    CREATE TABLE identity_organisation (
      id TEXT PRIMARY KEY,
      file_key TEXT UNIQUE,
      name TEXT NOT NULL,
      short_name TEXT NOT NULL,
      credit_code TEXT NOT NULL UNIQUE,
      division TEXT NOT NULL,
      classification_node TEXT,
      valid_from TEXT NOT NULL,
      valid_to TEXT,
      CHECK (valid_to IS NULL OR valid_to > valid_from)
    );
    CREATE INDEX identity_organisation_name ON identity_organisation (name);
    CREATE TABLE identity_succession (
      predecessor TEXT NOT NULL REFERENCES identity_organisation (id),
      successor TEXT NOT NULL REFERENCES identity_organisation (id),
      PRIMARY KEY (predecessor, successor),
      CHECK (predecessor <> successor)
    );
    CREATE TABLE identity_person (
      id TEXT PRIMARY KEY,
      login TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      organisation TEXT NOT NULL REFERENCES identity_organisation (id),
      is_active BOOLEAN NOT NULL,
      password TEXT,
      must_change BOOLEAN NOT NULL,
      totp_secret BLOB,
      totp_last BIGINT,
      created_at TEXT NOT NULL,
      version BIGINT NOT NULL
    );
    CREATE INDEX identity_person_organisation ON identity_person (organisation, login);
    CREATE TABLE identity_role (
      person TEXT NOT NULL REFERENCES identity_person (id),
      role TEXT NOT NULL,
      PRIMARY KEY (person, role)
    );
    CREATE TABLE identity_session (
      token_hash TEXT PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      person TEXT NOT NULL REFERENCES identity_person (id),
      acting_for TEXT REFERENCES identity_person (id),
      csrf TEXT NOT NULL,
      stage TEXT NOT NULL CHECK (stage IN ('second-factor', 'change-password', 'enrol', 'full')),
      source TEXT NOT NULL,
      created_at TEXT NOT NULL,
      seen_at TEXT NOT NULL,
      ends_at TEXT NOT NULL
    );
    CREATE INDEX identity_session_person ON identity_session (person);
    CREATE INDEX identity_session_acting ON identity_session (acting_for) WHERE acting_for IS NOT NULL;
    CREATE TABLE identity_known_source (
      person TEXT NOT NULL REFERENCES identity_person (id),
      source TEXT NOT NULL,
      seen_at TEXT NOT NULL,
      PRIMARY KEY (person, source)
    );
    CREATE TABLE identity_deputy (
      id TEXT PRIMARY KEY,
      person TEXT NOT NULL REFERENCES identity_person (id),
      deputy TEXT NOT NULL REFERENCES identity_person (id),
      first_day TEXT NOT NULL,
      last_day TEXT NOT NULL,
      ended_at TEXT,
      CHECK (person <> deputy),
      CHECK (last_day >= first_day)
    );
    CREATE INDEX identity_deputy_of ON identity_deputy (deputy, last_day);
    CREATE INDEX identity_deputy_person ON identity_deputy (person, last_day);
    """
  ).adding(
    "002 application tokens",
    """
    CREATE TABLE identity_token (
      id TEXT PRIMARY KEY,
      digest TEXT NOT NULL UNIQUE,
      hint TEXT NOT NULL,
      person TEXT NOT NULL REFERENCES identity_person (id),
      name TEXT NOT NULL,
      scopes TEXT NOT NULL,
      created_at TEXT NOT NULL,
      expires_at TEXT NOT NULL,
      ended_at TEXT,
      ended_by TEXT REFERENCES identity_person (id),
      used_at TEXT,
      used_from TEXT,
      CHECK (expires_at > created_at),
      CHECK ((used_at IS NULL) = (used_from IS NULL))
    );
    CREATE INDEX identity_token_person ON identity_token (person, id);
    """
  )
  // A session that has ended stays for some days, so that a form written in it is known by its token.
  .adding(
    "003 forms that outlived their session",
    """
    CREATE INDEX identity_session_csrf ON identity_session (csrf);
    CREATE INDEX identity_session_end ON identity_session (ends_at);
    CREATE TABLE identity_kept_form (
      id TEXT PRIMARY KEY,
      person TEXT NOT NULL REFERENCES identity_person (id),
      acting_for TEXT REFERENCES identity_person (id),
      address TEXT NOT NULL,
      fields TEXT NOT NULL,
      kept_at TEXT NOT NULL
    );
    CREATE INDEX identity_kept_form_person ON identity_kept_form (person, id);
    CREATE INDEX identity_kept_form_acting ON identity_kept_form (acting_for) WHERE acting_for IS NOT NULL;
    CREATE INDEX identity_kept_form_age ON identity_kept_form (kept_at);
    """)
}
