package import Storage

package enum CalendarsSchema {
  /// `calendars_load` is a line for each file taken, `calendars_day` what they brought, `calendars_counted` the calendar
  /// by which the open due dates were last counted.
  package static let migrations = Migrations("calendars").adding(
    "001 years that were loaded",
    """
    CREATE TABLE calendars_load (
      number BIGINT PRIMARY KEY CHECK (number > 0),
      id TEXT NOT NULL UNIQUE,
      version TEXT NOT NULL,
      days BIGINT NOT NULL CHECK (days > 0),
      loaded_at TEXT NOT NULL,
      loaded_by TEXT NOT NULL
    );
    CREATE TABLE calendars_day (
      day TEXT PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('holiday', 'workday')),
      occasion TEXT NOT NULL,
      load BIGINT NOT NULL REFERENCES calendars_load (number)
    );
    CREATE TABLE calendars_counted (
      one BIGINT PRIMARY KEY CHECK (one = 1),
      version TEXT NOT NULL,
      last_year BIGINT NOT NULL
    );
    """)
}
