import Glibc
import Kernel
import Synchronization
import Web

/// The folder where files of forms lie while their requests are answered, readable by the service's user only.
///
/// Each file is locked by the process that takes it in. What a killed one left has no lock and is swept at the next start,
/// which so does no harm to another process on the same folder. Functions block.
final class UploadFolder: Sendable {
  /// So many requests with files at once: with the routes' limits it bounds what the disk must have room for.
  private static let mostAtOnce = 16

  let path: String
  private let running = Mutex(0)

  init(_ path: String) { self.path = path }

  /// A place for the files of one request. Refused while too many are under way.
  func begin() throws -> Uploads {
    let isFree = running.withLock { count in
      guard count < Self.mostAtOnce else { return false }
      count += 1
      return true
    }
    guard isFree else {
      var refusal = Refusal(
        .unavailable, "request.uploads-busy",
        Text("正在接收的文件太多，请稍后重新提交。", "Too many files are coming in; send yours again in a while."))
      refusal.retryAfter = 30
      throw refusal
    }
    return Uploads(folder: self)
  }

  fileprivate func leave() { running.withLock { $0 -= 1 } }

  /// A new file, locked, and its absolute path.
  fileprivate func create() throws -> (descriptor: Int32, path: String) {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST, let absolute = realpath(path, nil) else {
      throw Rejection.disk(errno)
    }
    defer { free(absolute) }
    let name = String(UInt64.random(in: .min ... .max), radix: 36)
    let place = "\(String(cString: absolute))/\(name).upload"
    let descriptor = open(place, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Rejection.disk(errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      unlink(place)
      throw Rejection.disk(code)
    }
    return (descriptor, place)
  }

  /// Removes what no living process holds.
  func sweep() {
    guard let stream = opendir(path) else { return }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasSuffix(".upload") else { continue }
      let descriptor = open("\(path)/\(name)", O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink("\(path)/\(name)") }
      close(descriptor)
    }
  }
}

/// The files of one request, from their first byte until `discard`.
final class Uploads: Sendable {
  private struct Kept {
    var file: UploadedFile
    var descriptor: Int32
  }

  private let folder: UploadFolder
  private let kept = Mutex<[Kept]>([])

  fileprivate init(folder: UploadFolder) { self.folder = folder }

  var files: [UploadedFile] { kept.withLock { $0.map(\.file) } }

  /// Writes what a piece of the form brought. Throws a `Rejection` of 507 when the disk is full.
  func carryOut(_ events: [MultipartReader.Event]) throws {
    try kept.withLock { kept in
      for event in events {
        switch event {
        case .file(let field, let name, let type):
          let (descriptor, path) = try folder.create()
          kept.append(
            Kept(
              file: UploadedFile(field: field, name: name, type: type, path: path, size: 0), descriptor: descriptor))
        case .content(let bytes):
          let last = kept.count - 1
          try Self.write(bytes, to: kept[last].descriptor)
          kept[last].file.size += bytes.count
        case .fileEnd: continue
        }
      }
    }
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
    try bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
        guard count > 0 else {
          if count < 0, errno == EINTR { continue }
          throw Rejection.disk(errno)
        }
        done += count
      }
    }
  }

  /// Removes them, whatever became of the request. To be called once.
  func discard() {
    kept.withLock { kept in
      for one in kept {
        unlink(one.file.path)
        close(one.descriptor)
      }
      kept = []
    }
    folder.leave()
  }
}
