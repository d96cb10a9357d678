package import Storage

package enum InboxSchema {
  package static let migrations = Migrations("inbox").adding(
    "001 tasks",
    """
    CREATE TABLE inbox_task (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      title_zh TEXT NOT NULL,
      title_en TEXT NOT NULL,
      link TEXT NOT NULL,
      organisation TEXT,
      permission TEXT,
      person TEXT,
      subject_kind TEXT NOT NULL,
      subject TEXT NOT NULL,
      due TEXT,
      provisional BOOLEAN NOT NULL,
      created_at TEXT NOT NULL,
      closed_at TEXT,
      closed_by TEXT,
      CHECK (person IS NOT NULL OR permission IS NOT NULL)
    );
    CREATE INDEX inbox_task_office ON inbox_task (permission, organisation, due) WHERE closed_at IS NULL;
    CREATE INDEX inbox_task_person ON inbox_task (person, due) WHERE closed_at IS NULL;
    CREATE INDEX inbox_task_subject ON inbox_task (subject_kind, subject);
    """
  ).adding(
    "002 notices",
    """
    CREATE TABLE inbox_notice (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      title_zh TEXT NOT NULL,
      title_en TEXT NOT NULL,
      link TEXT NOT NULL,
      organisation TEXT,
      permission TEXT,
      person TEXT,
      subject_kind TEXT NOT NULL,
      subject TEXT NOT NULL,
      created_at TEXT NOT NULL,
      CHECK (person IS NOT NULL OR permission IS NOT NULL)
    );
    CREATE INDEX inbox_notice_office ON inbox_notice (permission, organisation, id);
    CREATE INDEX inbox_notice_person ON inbox_notice (person, id);
    CREATE TABLE inbox_dismissal (
      notice TEXT NOT NULL REFERENCES inbox_notice (id),
      person TEXT NOT NULL,
      dismissed_at TEXT NOT NULL,
      PRIMARY KEY (notice, person)
    );
    """)
}
