import Connecting
import Kernel
import Storage
import TestKit
import Testing

@testable import Catalog

@Suite struct `Items with their version` {
  private static let items = [
    Item(
      id: ItemID(trusted: "item-1"), name: "统一社会信用代码", column: "uscc", dataType: "C", length: 18, isNullable: false,
      isKey: true, type: .text, semantic: "uscc", description: "18 位", sharingType: "2",
      sharingCondition: "核验", grade: "3", evidence: Item.Evidence(valid: 199, looked: 200)),
    Item(id: ItemID(trusted: "item-2"), name: "金额", column: "amount", dataType: "N", length: 16, scale: 2, grade: "1"),
    Item(
      id: ItemID(trusted: "item-3"), name: "“备注”\\u0041", column: #"a"b\c/d"#, dataType: "",
      description: "第一行\n第二行\r\n\t尾\u{1F}\u{7F}😀\u{301}\u{2028}<&>", grade: ""),
  ]

  @Test func `is read as it was written, whatever a text holds`() throws {
    #expect(try ItemDocument.items(ItemDocument.text(Self.items)) == Self.items)
    #expect(ItemDocument.text([]) == "[]")
    #expect(try ItemDocument.items(" [ ]\n") == [])
    // As the databases write: blanks, null for what is empty, short escapes.
    let written =
      #"[{"id" : "a", "name" : "甲\n乙\u0007", "length" : null, "nullable" : false, "key" : true,"grade" : "2"}]"#
    let expected = Item(
      id: ItemID(trusted: "a"), name: "甲\n乙\u{7}", column: "", dataType: "", isNullable: false, isKey: true)
    #expect(try ItemDocument.items(written) == [expected])
  }

  @Test(arguments: [
    "", "[", "{}", "[{}]", "[{\"id\":\"\"}]", "[{\"id\":\"a\"},]", "[{\"id\":\"a\"}] x", "[{\"id\":\"a\"",
    "[{\"id\":\"a",
    "[{\"id\":\"a\",\"length\":1.5}]", "[{\"id\":\"a\",\"other\":1}]", "[{\"id\":\"a\",\"key\":yes}]",
    "[{\"id\":\"a\\", "[{\"id\":\"a\\u12\"}]", "[{\"id\":\"a\\ud800\"}]", "[{\"id\":\"a\\x\"}]", "[[]]", "null",
  ])
  func `of another form is refused, and nothing of it told`(text: String) {
    #expect { try ItemDocument.items(text) } throws: { error in
      guard let error = error as? StorageError else { return false }
      return error.code == .decoding && error.message == "column items: expected a list of items"
    }
  }

  @Test(arguments: Engine.allCases)
  func `a catalogue whose items were rows keeps them, each list in its order`(engine: Engine) async throws {
    try await withDatabase(engine, Offices.migrations(before: "016")) { db in
      try await db.write { tx in
        for (id, versions) in [("a", 2), ("b", 1)] {
          try tx.run(
            """
            INSERT INTO catalog_resource (id, provider, latest, made_at)
            VALUES (\(id), 'office', \(versions), '2026-01-01T00:00:00.000Z')
            """)
          for version in 1...versions {
            try tx.run(
              """
              INSERT INTO catalog_version (resource, version, state, provider, provider_name, provider_code, name,
                folded_name, classes, abstract, format, sharing_type, sharing_condition, method_class, method_type,
                open_type, open_condition, cycle, related, secrecy, level, revision, lists, changed_at)
              VALUES (\(id), \(version), 'draft', 'office', '青海省民政厅', 'x', \(id), \(id), '203', '', '0203', '1', '', '1',
                '2', '3', '', '7', '', '0', '2', 1, '2017', '2026-01-01T00:00:00.000Z')
              """)
          }
        }
        for (version, items) in [(1, Self.items), (2, Array(Self.items.reversed()))] {
          // Written last first: the position tells the order.
          for (position, item) in items.enumerated().reversed() {
            try tx.run(
              """
              INSERT INTO catalog_item (resource, version, position, id, name, column_name, data_type, length, scale,
                is_nullable, is_key, carried_as, semantic, description, sharing_type, sharing_condition, grade,
                evidence_valid, evidence_looked)
              VALUES ('a', \(version), \(position), \(item.id), \(item.name), \(item.column), \(item.dataType),
                \(item.length), \(item.scale), \(item.isNullable), \(item.isKey), \(item.type?.description),
                \(item.semantic), \(item.description), \(item.sharingType), \(item.sharingCondition), \(item.grade),
                \(item.evidence?.valid), \(item.evidence?.looked))
              """)
          }
        }
      }
      try await db.migrate(Offices.migrations)
      let found = try await db.read { tx in
        try CatalogStore.find(
          [
            VersionKey(resource: ResourceID(trusted: "a"), version: 1),
            VersionKey(resource: ResourceID(trusted: "a"), version: 2),
            VersionKey(resource: ResourceID(trusted: "b"), version: 1),
          ], in: tx)
      }
      #expect(found[VersionKey(resource: ResourceID(trusted: "a"), version: 1)]?.items == Self.items)
      #expect(found[VersionKey(resource: ResourceID(trusted: "a"), version: 2)]?.items == Array(Self.items.reversed()))
      #expect(found[VersionKey(resource: ResourceID(trusted: "b"), version: 1)]?.items == [])
    }
  }
}
