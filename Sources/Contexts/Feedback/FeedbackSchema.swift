package import Storage

package enum FeedbackSchema {
  package static let migrations = Migrations("feedback").adding(
    "001 objections",
    """
    CREATE TABLE feedback_number (
      series TEXT PRIMARY KEY,
      last BIGINT NOT NULL
    );
    CREATE TABLE feedback_objection (
      id TEXT PRIMARY KEY,
      number TEXT NOT NULL UNIQUE,
      resource TEXT NOT NULL REFERENCES catalog_resource (id),
      resource_version BIGINT NOT NULL,
      resource_name TEXT NOT NULL,
      provider TEXT NOT NULL,
      provider_name TEXT NOT NULL,
      raiser TEXT NOT NULL,
      raiser_name TEXT NOT NULL,
      raised_by TEXT NOT NULL,
      raised_by_name TEXT NOT NULL,
      form_key TEXT,
      kind TEXT NOT NULL,
      element TEXT,
      item TEXT,
      item_name TEXT,
      words TEXT NOT NULL,
      evidence TEXT NOT NULL,
      state TEXT NOT NULL,
      supplement_asked BOOLEAN NOT NULL,
      was_reopened BOOLEAN NOT NULL,
      corrected_by BIGINT,
      rules TEXT NOT NULL,
      clock TEXT,
      paused_clock TEXT,
      due TEXT,
      due_date TEXT,
      told TEXT NOT NULL CHECK (told IN ('nothing', 'soon', 'late')),
      version BIGINT NOT NULL,
      created_at TEXT NOT NULL,
      changed_at TEXT NOT NULL,
      closed_at TEXT,
      CHECK (element IS NULL OR item IS NULL)
    );
    CREATE UNIQUE INDEX feedback_objection_form ON feedback_objection (raised_by, form_key) WHERE form_key IS NOT NULL;
    CREATE INDEX feedback_objection_resource ON feedback_objection (resource, id);
    CREATE INDEX feedback_objection_raiser ON feedback_objection (raiser, id);
    CREATE INDEX feedback_objection_raiser_state ON feedback_objection (raiser, state, id);
    CREATE INDEX feedback_objection_provider ON feedback_objection (provider, id);
    CREATE INDEX feedback_objection_provider_state ON feedback_objection (provider, state, id);
    CREATE INDEX feedback_objection_state ON feedback_objection (state, id);
    CREATE INDEX feedback_objection_person ON feedback_objection (raised_by, created_at);
    CREATE INDEX feedback_objection_late ON feedback_objection (due_date, id) WHERE closed_at IS NULL;
    CREATE INDEX feedback_objection_told ON feedback_objection (told, due_date, id) WHERE closed_at IS NULL;
    CREATE TABLE feedback_objection_event (
      objection TEXT NOT NULL REFERENCES feedback_objection (id),
      position BIGINT NOT NULL,
      at TEXT NOT NULL,
      actor TEXT NOT NULL,
      organisation TEXT NOT NULL,
      event TEXT NOT NULL,
      words TEXT,
      due TEXT,
      PRIMARY KEY (objection, position)
    );
    """
  )
  .adding(
    "002 questions and ratings",
    """
    CREATE TABLE feedback_question (
      id TEXT PRIMARY KEY,
      root TEXT NOT NULL REFERENCES feedback_question (id),
      resource TEXT NOT NULL REFERENCES catalog_resource (id),
      resource_name TEXT NOT NULL,
      provider TEXT NOT NULL,
      provider_name TEXT NOT NULL,
      asker TEXT NOT NULL,
      asker_name TEXT NOT NULL,
      asked_by TEXT NOT NULL,
      asked_by_name TEXT NOT NULL,
      form_key TEXT,
      words TEXT NOT NULL,
      due TEXT,
      due_date TEXT,
      created_at TEXT NOT NULL,
      answer TEXT,
      answered_by_name TEXT,
      answered_at TEXT,
      CHECK ((answer IS NULL) = (answered_at IS NULL))
    );
    CREATE UNIQUE INDEX feedback_question_form ON feedback_question (asked_by, form_key) WHERE form_key IS NOT NULL;
    CREATE INDEX feedback_question_resource ON feedback_question (resource, root, id);
    CREATE INDEX feedback_question_person ON feedback_question (asked_by, created_at);
    CREATE INDEX feedback_question_open ON feedback_question (id) WHERE answered_at IS NULL;
    CREATE TABLE feedback_rating (
      resource TEXT NOT NULL REFERENCES catalog_resource (id),
      organisation TEXT NOT NULL,
      organisation_name TEXT NOT NULL,
      resource_version BIGINT NOT NULL,
      score BIGINT NOT NULL CHECK (score BETWEEN 1 AND 5),
      words TEXT NOT NULL,
      given_by TEXT NOT NULL,
      given_by_name TEXT NOT NULL,
      changes BIGINT NOT NULL,
      given_at TEXT NOT NULL,
      PRIMARY KEY (resource, organisation)
    );
    CREATE INDEX feedback_rating_person ON feedback_rating (given_by, given_at);
    """
  )
  // A saved search was told of everything up to the place `told_to`; what its owner has put away ends at `seen_to`.
  .adding(
    "003 saved searches",
    """
    CREATE TABLE feedback_search (
      id TEXT PRIMARY KEY,
      person TEXT NOT NULL,
      name TEXT NOT NULL,
      query TEXT NOT NULL,
      is_paused BOOLEAN NOT NULL,
      seen_to BIGINT NOT NULL,
      told_to BIGINT NOT NULL,
      made_at TEXT NOT NULL,
      UNIQUE (person, name)
    );
    CREATE INDEX feedback_search_told ON feedback_search (told_to, id) WHERE is_paused = FALSE;
    CREATE INDEX feedback_search_active ON feedback_search (id) WHERE is_paused = FALSE;
    CREATE TABLE feedback_withdrawal (
      id TEXT PRIMARY KEY,
      resource TEXT NOT NULL REFERENCES catalog_resource (id),
      resource_version BIGINT NOT NULL,
      resource_name TEXT NOT NULL,
      at TEXT NOT NULL,
      asked_to TEXT NOT NULL
    );
    CREATE TABLE feedback_loss (
      search TEXT NOT NULL REFERENCES feedback_search (id) ON DELETE CASCADE,
      resource TEXT NOT NULL REFERENCES catalog_resource (id),
      resource_name TEXT NOT NULL,
      at TEXT NOT NULL,
      PRIMARY KEY (search, resource)
    );
    """
  ).adding(
    "004 what was told of questions",
    """
    ALTER TABLE feedback_question ADD COLUMN told TEXT NOT NULL DEFAULT 'nothing'
      CHECK (told IN ('nothing', 'soon', 'late'));
    CREATE INDEX feedback_question_told ON feedback_question (told, due_date, id) WHERE answered_at IS NULL;
    """
  )
}
