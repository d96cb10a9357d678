import Attachments
import Foundation
import Kernel
import Storage
import TestKit

/// A database and a folder for attachments, and somebody who adds them.
struct Shelf {
  static let owner = AttachmentOwner("thing", "one")
  static let other = AttachmentOwner("thing", "two")
  static let person = Principal(person: nil, name: "张三", organisation: nil, organisationName: "某局", permissions: [])

  let database: any Database
  let path: String
  var scanner = AttachmentScanner.none
  var mostBytes = 1 << 20
  var clock = Clock.system

  var attachments: Attachments {
    Attachments(
      database: database, clock: clock, folder: AttachmentFolder(path), scanner: scanner, mostBytes: mostBytes)
  }

  static func with<T>(
    _ engine: Engine, isolation: isolated (any Actor)? = #isolation, _ body: (Shelf) async throws -> T
  ) async throws -> T {
    try await withTemporaryFolder { folder in
      try await withDatabase(engine, [AttachmentSchema.migrations]) { database in
        try await body(Shelf(database: database, path: folder + "/attachments"))
      }
    }
  }

  func add(_ bytes: [UInt8], _ name: String, to owner: AttachmentOwner = owner) async throws -> Attachment {
    try await attachments.add(.bytes(bytes), named: name, note: "", to: owner, by: Self.person) { _, _ in }
  }

  func list(_ owner: AttachmentOwner = owner) async throws -> [Attachment] {
    try await database.read { try AttachmentStore.list(owner, in: $0) }
  }

  /// Every file below the folder.
  var files: [String] {
    ((try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []).filter {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: path + "/" + $0, isDirectory: &isFolder) && !isFolder.boolValue
    }.sorted()
  }

  /// A zip with these parts, made by the room's own writer.
  func zip(_ names: [String]) throws -> [UInt8] {
    let file = path + "-" + UUID().uuidString
    let writer = try BundleWriter(path: file)
    for name in names { try writer.add(name, Array("<x/>".utf8), at: clock.now()) }
    try writer.finish()
    return Array(try Data(contentsOf: URL(fileURLWithPath: file)))
  }
}

let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
let pdf = Array("%PDF-1.7\n%…\n".utf8)
