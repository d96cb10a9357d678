import Foundation
import Kernel
import NationalCrypto

/// Files and folders as a backup needs them: flushed to the disk, and every failure in words that name the path.
enum Files {
  /// Whether anything is there, also a link that leads nowhere.
  static func stand(_ path: String) -> Bool { kind(path) != nil }

  static func isRegular(_ path: String) -> Bool { kind(path) == .typeRegular }
  static func isFolder(_ path: String) -> Bool { kind(path) == .typeDirectory }

  private static func kind(_ path: String) -> FileAttributeType? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
  }

  /// Everything below a folder that is no folder, by path from there.
  static func below(_ folder: String) throws -> [String] {
    try trying(folder) {
      try FileManager.default.subpathsOfDirectory(atPath: folder).sorted().filter { !isFolder(folder + "/" + $0) }
    }
  }

  static func names(in folder: String) throws -> [String] {
    try trying(folder) { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
  }

  /// For the owner's eyes only; what is there stays.
  static func makeFolder(_ path: String) throws {
    try trying(path) {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
  }

  /// For the owner's eyes only, and on the disk.
  static func copy(_ source: String, to path: String) throws {
    try trying(path) { try FileManager.default.copyItem(atPath: source, toPath: path) }
    chmod(path, 0o600)
    try flush(path)
  }

  static func write(_ text: String, to path: String) throws {
    try trying(path) { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
    try flush(path)
  }

  /// Gives a file or folder its name, and keeps that over a power cut. What stands there already is never replaced.
  static func move(_ source: String, to path: String) throws {
    try trying(path) { try FileManager.default.moveItem(atPath: source, toPath: path) }
    try flush(folder(of: path))
  }

  /// Nothing to remove is fine.
  static func remove(_ path: String) throws {
    guard stand(path) else { return }
    try trying(path) { try FileManager.default.removeItem(atPath: path) }
  }

  static func folder(of path: String) -> String {
    let parent = (path as NSString).deletingLastPathComponent
    return parent.isEmpty ? "." : parent
  }

  static func digest(of path: String) throws -> (digest: String, size: Int) {
    try trying(path) {
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? file.close() }
      var hash = SM3()
      var size = 0
      while let chunk = try file.read(upToCount: 1 << 20), !chunk.isEmpty {
        chunk.withUnsafeBytes { hash.update($0) }
        size += chunk.count
      }
      return (hash.finish().hex, size)
    }
  }

  static func flush(_ path: String) throws {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw trouble(errno, path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw trouble(errno, path) }
  }

  /// What Foundation throws says nothing to an operator.
  static func trying<T>(_ path: String, _ body: () throws -> T) throws -> T {
    do { return try body() } catch let error where !(error is Refusal) {
      throw trouble(reason(error as NSError), path)
    }
  }

  /// In words, when the error is Foundation's and names a file; nil for another.
  static func refusal(for error: any Error) -> Refusal? {
    let error = error as NSError
    guard error.domain == NSCocoaErrorDomain,
      let path = error.userInfo[NSFilePathErrorKey] as? String ?? (error.userInfo[NSURLErrorKey] as? URL)?.path
    else { return nil }
    return trouble(reason(error), path)
  }

  private static func reason(_ error: NSError) -> Int32 {
    if error.domain == NSPOSIXErrorDomain { return Int32(clamping: error.code) }
    if let below = error.userInfo[NSUnderlyingErrorKey] as? any Error { return reason(below as NSError) }
    guard error.domain == NSCocoaErrorDomain else { return 0 }
    switch CocoaError.Code(rawValue: error.code) {
    case .fileWriteOutOfSpace: return ENOSPC
    case .fileWriteNoPermission, .fileReadNoPermission: return EACCES
    case .fileWriteVolumeReadOnly: return EROFS
    case .fileWriteFileExists: return EEXIST
    case .fileNoSuchFile, .fileReadNoSuchFile: return ENOENT
    default: return 0
    }
  }

  static func trouble(_ code: Int32, _ path: String) -> Refusal {
    let words =
      switch code {
      case ENOSPC, EDQUOT:
        Text("磁盘已满，写不下 \(path)。请腾出空间后再试。", "The disk is full: \(path) does not fit. Make room and try again.")
      case EACCES, EPERM:
        Text("没有权限使用 \(path)。请以服务所用的账户运行。", "No permission for \(path). Run this as the service's user.")
      case EROFS: Text("\(path) 所在的磁盘是只读的。", "The disk of \(path) is read-only.")
      case EEXIST, ENOTEMPTY: Text("\(path) 已存在。", "\(path) exists already.")
      case ENOENT: Text("没有 \(path)。", "There is no \(path).")
      case ENOTDIR: Text("\(path) 的上级不是目录。", "What \(path) should stand in is no folder.")
      default:
        Text(
          "\(path) 读写失败（\(String(cString: strerror(code)))）。",
          "\(path) could not be read or written (\(String(cString: strerror(code)))).")
      }
    return Refusal(.unavailable, "files.trouble", words)
  }
}
