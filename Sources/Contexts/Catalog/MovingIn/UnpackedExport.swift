internal import Connecting
internal import Foundation
internal import Spreadsheets

/// An export as a folder or workbook, unpacked for as long as it is read when it is a zip.
package enum UnpackedExport {
  package static func open<T: Sendable>(_ path: String, _ body: (String) async throws -> T) async throws -> T {
    guard path.lowercased().hasSuffix(".zip") else { return try await body(path) }
    let folder = NSTemporaryDirectory() + "/sanjiang-export-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await BlockingThread.run {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try PackedFolder.unpack(path, to: folder, only: ["csv", "xlsx", "json"])
    }
    return try await body(folder)
  }
}
