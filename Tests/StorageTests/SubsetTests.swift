import Storage
import TestKit
import Testing

/// The SQL that contexts may write: the same answers on both engines.
@Suite struct CommonSubsetTests {
  private static let questions: [(SQL, String)] = [
    ("SELECT id AS v FROM storage_test_thing ORDER BY name NULLS LAST, id", "3,1,0,2"),
    ("SELECT id AS v FROM storage_test_thing ORDER BY name DESC NULLS FIRST, id", "2,0,1,3"),
    ("SELECT CAST(COUNT(*) FILTER (WHERE flag = TRUE) AS TEXT) AS v FROM storage_test_thing", "2"),
    (
      """
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3)
      SELECT CAST(i AS TEXT) AS v FROM n ORDER BY i
      """, "1,2,3"
    ),
    ("WITH t AS (SELECT id FROM storage_test_thing WHERE flag = FALSE) SELECT id AS v FROM t ORDER BY id", "0,1"),
    ("SELECT CAST(ROW_NUMBER() OVER (ORDER BY id) AS TEXT) AS v FROM storage_test_thing ORDER BY id", "1,2,3,4"),
    (
      "SELECT CAST(SUM(count) OVER (PARTITION BY flag ORDER BY id) AS TEXT) AS v FROM storage_test_thing ORDER BY id",
      "0,9,2,5"
    ),
    ("SELECT id AS v FROM storage_test_thing WHERE name IS NOT DISTINCT FROM NULL", "2"),
    ("SELECT id AS v FROM storage_test_thing WHERE name IS DISTINCT FROM 'a' ORDER BY id", "0,2,3"),
    ("SELECT id AS v FROM storage_test_thing WHERE (count, id) > (2, '2') ORDER BY count, id", "3,1"),
    ("SELECT SUBSTR(COALESCE(name, 'none'), 1, 2) AS v FROM storage_test_thing ORDER BY id", "b,a,no,C"),
    ("SELECT SUBSTR('青海省', 2, 1) || CAST(LENGTH('青海') AS TEXT) AS v", "海2"),
    ("SELECT id AS v FROM storage_test_thing WHERE id IN (\(each: ["0", "3", "3"])) ORDER BY id", "0,3"),
    ("SELECT id AS v FROM storage_test_thing WHERE id IN (\(each: [String]()))", ""),
    ("SELECT id AS v FROM storage_test_thing WHERE name LIKE \("c%") ESCAPE '!'", ""),
    ("SELECT id AS v FROM storage_test_thing WHERE LOWER(name) LIKE \("c%") ESCAPE '!'", "3"),
    ("SELECT CASE WHEN flag = TRUE THEN 'yes' ELSE 'no' END AS v FROM storage_test_thing ORDER BY id", "no,no,yes,yes"),
    ("SELECT CAST(CAST('12' AS BIGINT) + \(30) AS TEXT) AS v", "42"),
    ("SELECT CAST(7 / 2 AS TEXT) || CAST(7 % 2 AS TEXT) AS v", "31"),
    ("SELECT id AS v FROM storage_test_thing WHERE flag = \(true) AND TRUE ORDER BY id LIMIT \(1) OFFSET \(1)", "3"),
    ("SELECT 'x' AS v WHERE EXISTS (SELECT 1 FROM storage_test_thing WHERE count = \(9))", "x"),
    (
      "SELECT CAST(COUNT(*) AS TEXT) AS v FROM storage_test_thing GROUP BY flag HAVING COUNT(*) > 1 ORDER BY flag",
      "2,2"
    ),
    ("SELECT MIN(name) || MAX(name) AS v FROM storage_test_thing", "Cb"),
    ("DELETE FROM storage_test_thing WHERE id = '3' RETURNING id AS v", "3"),
    ("UPDATE storage_test_thing SET count = count + 1 WHERE id = '2' RETURNING CAST(count AS TEXT) AS v", "3"),
  ]

  @Test(arguments: Engine.allCases)
  func `one text means the same on both`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let answers = try await db.write { tx -> [String] in
        for (index, name) in ["b", "a", nil, "C"].enumerated() {
          try tx.run(
            """
            INSERT INTO storage_test_thing (id, name, count, flag)
            VALUES (\("\(index)"), \(name), \(index), \(index > 1))
            """)
        }
        try tx.run(
          "INSERT INTO storage_test_thing (id, count, flag) VALUES ('0', 9, \(true)) ON CONFLICT (id) DO NOTHING")
        try tx.run(
          """
          INSERT INTO storage_test_thing (id, count, flag) VALUES ('1', 9, \(true))
          ON CONFLICT (id) DO UPDATE SET count = excluded.count
          """)
        return try Self.questions.map { try tx.rows($0.0).map { try $0.text("v") }.joined(separator: ",") }
      }
      for (answer, question) in zip(answers, Self.questions) {
        #expect(answer == question.1, "\(question.0.parts)")
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `tables change their columns, and an index over some rows holds for those`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      try await db.write { tx in
        try tx.script(
          """
          ALTER TABLE storage_test_thing ADD COLUMN extra TEXT NOT NULL DEFAULT 'x';
          ALTER TABLE storage_test_thing RENAME COLUMN extra TO further;
          CREATE UNIQUE INDEX storage_test_open ON storage_test_thing (name) WHERE flag = FALSE;
          """)
        try tx.run("INSERT INTO storage_test_thing (id, name, count, flag) VALUES ('a', 'n', 0, \(true))")
        try tx.run("INSERT INTO storage_test_thing (id, name, count, flag) VALUES ('b', 'n', 0, \(true))")
        try tx.run("INSERT INTO storage_test_thing (id, name, count, flag) VALUES ('c', 'n', 0, \(false))")
      }
      let error = await #expect(throws: StorageError.self) {
        try await db.write {
          try $0.run("INSERT INTO storage_test_thing (id, name, count, flag) VALUES ('d', 'n', 0, \(false))")
        }
      }
      #expect(error?.code == .unique)
      let further = try await db.write { tx in
        let further = try tx.text("SELECT further FROM storage_test_thing")
        try tx.script("ALTER TABLE storage_test_thing DROP COLUMN further")
        return further
      }
      #expect(further == "x")
    }
  }
}
