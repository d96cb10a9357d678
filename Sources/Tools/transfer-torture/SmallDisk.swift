import Foundation
import TestKit

/// A file system in memory with a PostgreSQL database on it, the data of receivers and folders of files, and a file that
/// fills it up.
struct SmallDisk {
  let folder: String
  let database: String

  /// Nil where this process may not mount anything.
  init?(at folder: String, _ server: PostgresServer) throws {
    guard geteuid() == 0 else { return nil }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let mount = try Child(["mount", "-t", "tmpfs", "-o", "size=96m,mode=755", "tmpfs", folder]).end(within: 10)
    guard mount?.status == 0 else { return nil }
    let space = folder + "/space"
    try FileManager.default.createDirectory(atPath: space, withIntermediateDirectories: true)
    guard try Child(["chown", "postgres", space]).end(within: 10)?.status == 0 else { return nil }
    try server.query("CREATE TABLESPACE small LOCATION '\(space)'", on: "postgres")
    try server.query("CREATE DATABASE small TABLESPACE small TEMPLATE template0", on: "postgres")
    self.folder = folder
    database = server.address(of: "small")
  }

  /// Leaves so many bytes free.
  func fill(leaving bytes: Int) throws {
    var found = statvfs()
    guard statvfs(folder, &found) == 0 else { throw Failure("no disk at \(folder)") }
    let free = Int(found.f_bavail) * Int(found.f_bsize) - bytes
    guard free > 0 else { return }
    _ = FileManager.default.createFile(
      atPath: folder + "/filler", contents: Data(repeating: 0, count: free))
  }

  func makeRoom() { unlink(folder + "/filler") }

  func remove() { umount2(folder, Int32(MNT_DETACH)) }
}
