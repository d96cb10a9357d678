import Attachments
import Foundation
import Identity
import Kernel
import NationalCrypto
import Spreadsheets
import Storage
import TestKit
import Testing
import Web

@testable import Catalog

@Suite struct `Attachments of versions` {
  private static let pdf = Array("%PDF-1.4\n%%EOF\n".utf8)

  private static func attaching(_ offices: Offices, _ folder: String) -> Attaching {
    Attaching(
      cataloguing: offices.cataloguing,
      attachments: Attachments(
        database: offices.db, clock: offices.time.clock, folder: AttachmentFolder(folder + "/attachments"),
        scanner: .none, mostBytes: 1 << 20))
  }

  /// In force, with two files.
  private static func published(_ offices: Offices, _ attaching: Attaching) async throws -> Resource {
    let draft = try await offices.completeDraft()
    for name in ["依据.pdf", "条件.pdf"] {
      _ = try await attaching.add(Offices.officer, draft.id, .bytes(pdf + Array(name.utf8)), named: name, note: "共享条件")
    }
    _ = try await offices.cataloguing.submit(Offices.officer, draft.id)
    return try await offices.cataloguing.decide(Offices.operatorOfPlatform, draft.id, .approve(publish: true))
  }

  private static func files(_ offices: Offices, _ id: ResourceID, _ version: Int) async throws -> [String] {
    try await offices.db.read { tx in
      try AttachmentStore.list(Attaching.owner(id, version: version), in: tx).map {
        "\($0.name) \($0.digest) \($0.note)"
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `the page of a version that is not being written offers the next one and no form`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        let attaching = Self.attaching(offices, folder)
        let entry = try await Self.published(offices, attaching)
        let path = "/catalog/resources/{id}/attachments"
        func page(_ method: Web.Method, _ path: String) async throws -> (Int, String) {
          let route = try #require(
            CatalogAttachmentRoutes.routes(attaching).first { $0.method == method && $0.path == path })
          var request = Request(method: method, path: path, now: Offices.start)
          request.principal = Offices.officer
          request.parameters = ["id": entry.id.text]
          guard case .page(let page) = try await route.answer(request) else { throw Refusal.notFound(Text("", "")) }
          return (page.status, page.body.text)
        }
        let change = "action=\"/catalog/resources/\(entry.id)/change\""
        let (status, closed) = try await page(.get, path)
        #expect(status == 200 && closed.contains("依据.pdf") && closed.contains("状态是“已发布”"))
        #expect(closed.contains(change) && !closed.contains("type=\"file\"") && !closed.contains("/attachments/remove"))
        _ = try await offices.cataloguing.beginChange(Offices.officer, entry.id)
        let (_, open) = try await page(.get, path)
        #expect(!open.contains(change) && open.contains("type=\"file\"") && open.contains("/attachments/remove"))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a next version has the files of the one before, whoever makes it`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        let attaching = Self.attaching(offices, folder)
        let entry = try await Self.published(offices, attaching)
        let own = try await Self.files(offices, entry.id, 1)
        #expect(own.count == 2)

        let begun = try await offices.cataloguing.beginChange(Offices.officer, entry.id)
        #expect(try await Self.files(offices, entry.id, begun.version) == own)
        try await offices.cataloguing.discard(Offices.officer, entry.id)

        // A batch with its reason, beside entries that are new and so have none.
        var given = GivenEntry(
          code: try #require(entry.code?.description), metadata: entry.metadata, system: entry.system?.text ?? "",
          items: entry.items)
        given.metadata.abstract += "改写。"
        given.change = VersionChange(.other, words: "按新的口径改写。")
        let taken = try await offices.cataloguing.take(
          Offices.officer,
          [given, GivenEntry(metadata: Offices.spreadsheet("另一条登记信息"), items: Offices.items(["名称项"]))], .update,
          from: TakingOrigin(name: "测试", digest: "0"))
        #expect(taken.map(\.outcome) == [.updated, .created])
        #expect(taken[0].resource?.version == 3)
        #expect(try await Self.files(offices, entry.id, 3) == own)
        let change = try await offices.db.read { try CatalogStore.change(of: entry.id, version: 3, in: $0) }
        #expect(change?.words == "按新的口径改写。")
        #expect(try await Self.files(offices, try #require(taken[1].resource?.id), 1).isEmpty)

        // A file of one version is no file of another's.
        let third = try await offices.db.read {
          try AttachmentStore.list(Attaching.owner(entry.id, version: 3), in: $0)
        }
        try await attaching.remove(Offices.officer, entry.id, third[0].id)
        #expect(try await Self.files(offices, entry.id, 3).count == 1)
        #expect(try await Self.files(offices, entry.id, 1) == own)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a version that is moved in over one that is here keeps its files`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        let mapping = try #require(try MoveMapping.preset("bjxc"))
        var export = ExportedCatalogue(count: 1)
        func move() async throws -> ResourceID? {
          try export.write(to: "\(folder)/export")
          return try await offices.cataloguing.moveIn(
            from: "\(folder)/export", named: "e", by: mapping, isTrial: false
          ).entries.first?.resource
        }
        let id = try #require(try await move())
        // As somebody's who attached it while the version was written.
        try await offices.db.write { tx in
          try tx.run(
            """
            INSERT INTO attachment_file (id, owner_kind, owner, name, kind, size, digest, note, scanned_by, added_at,
              added_by)
            VALUES ('f1', 'catalog.version', \("\(id)/1"), '依据.pdf', 'pdf', 9, 'd1', '依据', '', \(Offices.start), '张三')
            """)
        }
        export.set("dir_dataset", "set0", "dataset_desc", "改写后的摘要，说明内容。")
        #expect(try await move() == id)
        let old = try await Self.files(offices, id, 1)
        #expect(old.count == 1)
        #expect(try await Self.files(offices, id, 2) == old)
      }
    }
  }

  @Test(arguments: [0, 2])
  func `the list of digests has the form itself, with and without attachments`(count: Int) async throws {
    try await Offices.with(.sqlite) { offices in
      try await withTemporaryFolder { folder in
        let attaching = Self.attaching(offices, folder)
        let entry = try await Self.published(offices, attaching)
        let files = Array(try await attaching.list(Offices.officer, entry.id, version: 1).files.prefix(count))
        let form = Array("<html>表</html>".utf8)
        let zip = try await attaching.bundle(form, named: "企业法人登记信息", entry, files)
        try Data(zip).write(to: URL(fileURLWithPath: folder + "/bundle.zip"))
        try FileManager.default.createDirectory(atPath: folder + "/out", withIntermediateDirectories: true)
        try PackedFolder.unpack(folder + "/bundle.zip", to: folder + "/out", only: ["txt", "html", "pdf"])
        let list = try String(contentsOfFile: folder + "/out/sm3.txt", encoding: .utf8)
        let lines = list.split(separator: "\n").map { $0.components(separatedBy: "  ") }
        #expect(lines.count == count + 1 && lines.first?.last == "企业法人登记信息.html", "\(list)")
        for line in lines {
          let bytes = line[1].hasSuffix(".html") ? form : Self.pdf + Array(line[1].split(separator: "-").last!.utf8)
          #expect(line[0] == SM3.hash(bytes).hex, "\(line[1])")
        }
      }
    }
  }
}
