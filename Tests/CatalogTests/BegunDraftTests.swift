@testable import Catalog
import Connecting
import Inventory
import Kernel
import Storage
import TestKit
import Testing

@Suite struct `A form that begins a draft` {
  @Test(arguments: Engine.allCases)
  func `begins one however often it is sent, by one person and with one content`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      func begin(_ name: String, _ key: String?, by principal: Principal? = nil) async throws -> ResourceID {
        try await offices.cataloguing.draft(
          principal ?? Offices.officer, system: nil, metadata: Metadata(name: name), formKey: key
        ).id
      }
      let first = try await begin("企业名录", "form-1")
      #expect(try await begin("企业名录", "form-1") == first)
      #expect(try await begin("企业名录", "form-2") == first, "the page was opened anew and sent again")
      #expect(try await begin("企业名录新编", "form-1") != first)
      #expect(try await begin("企业名录", nil) != first)
      let keyless = try await begin("企业名录", nil)
      #expect(try await begin("企业名录", nil) != keyless)
      offices.time.move(.seconds(601))
      let later = try await begin("企业名录", "form-3")
      #expect(later != first, "that was not just now")
      let written = try await offices.cataloguing.edit(
        Offices.officer, later, from: 1, .init(metadata: Metadata(name: "企业名录", abstract: "全省。"))
      ).resource
      #expect(try await begin("企业名录", "form-4") != written.id, "something was written in it")
      try await offices.cataloguing.discard(Offices.officer, first)
      let anew = try await begin("企业名录", "form-1")
      #expect(anew != first, "what was given up is not come back to")
      #expect(try await begin("企业名录", "form-1") == anew)
    }
  }

  @Test(arguments: Engine.allCases)
  func `begins one also when it is sent at the same moment, and one of a table`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let made = try await withThrowingTaskGroup(of: ResourceID.self) { group in
        for _ in 0..<6 {
          group.addTask {
            try await offices.cataloguing.draft(
              Offices.officer, system: nil, metadata: Metadata(name: "企业名录"), formKey: "form-1"
            ).id
          }
        }
        return try await group.reduce(into: Set()) { $0.insert($1) }
      }
      #expect(made.count == 1)
      let source = try await offices.source()
      func table() async throws -> ResourceID {
        try await offices.cataloguing.draft(
          Offices.officer, from: source.id, table: legalPersonTable.name, formKey: "form-1"
        ).id
      }
      let first = try await table()
      #expect(try await table() == first && !made.contains(first))
      #expect(try await offices.db.read { try $0.int("SELECT COUNT(*) FROM catalog_resource") } == 2)

      // Whoever asks for the table's entry, and not for one more, gets it; also when there was none and many ask at once.
      func only() async throws -> ResourceID {
        try await offices.cataloguing.draft(
          Offices.officer, from: source.id, table: legalPersonTable.name, onlyIfNone: true
        ).id
      }
      #expect(try await only() == first)
      try await offices.cataloguing.discard(Offices.officer, first)
      let again = try await withThrowingTaskGroup(of: ResourceID.self) { group in
        for _ in 0..<6 { group.addTask { try await only() } }
        return try await group.reduce(into: Set()) { $0.insert($1) }
      }
      #expect(again.count == 1 && !again.contains(first))
    }
  }
}
