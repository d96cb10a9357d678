import Glibc
package import Kernel
import NationalCrypto

/// What is handed in: a form's bytes, or a file that an upload was streamed to.
package enum AttachmentContent: Sendable {
  case bytes([UInt8])
  case file(String)
}

/// Where the bytes lie: `ab/abcdef…` by SM3 digest, so that the same file is kept once and a changed one is known.
///
/// A file is written as `incoming/….part`, flushed, then renamed; what a killed writer left is swept a day later. All of
/// it is readable by the service's user only. Functions block: call them off the cooperative pool.
package struct AttachmentFolder: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  struct Received {
    var temporary: String
    var digest: String
    var size: Int
  }

  private var incoming: String { path + "/incoming" }

  package func place(of digest: String) -> String { "\(path)/\(digest.prefix(2))/\(digest)" }

  // MARK: Taking in

  /// Copies what comes into a temporary file and digests it on the way; nothing remains when it is refused.
  func receive(_ content: AttachmentContent, most: Int) throws -> Received {
    try makeFolder(incoming)
    let temporary = "\(incoming)/\(String(UInt64.random(in: .min ... .max), radix: 36)).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.trouble(errno) }
    defer { close(descriptor) }
    do {
      var hash = SM3()
      var size = 0
      func write(_ piece: ArraySlice<UInt8>) throws {
        size += piece.count
        guard size <= most else { throw Self.tooLarge(most) }
        try piece.withUnsafeBytes { bytes in
          hash.update(bytes)
          var done = 0
          while done < bytes.count {
            let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            guard count > 0 else { throw Self.trouble(errno) }
            done += count
          }
        }
      }
      switch content {
      case .bytes(let bytes): try write(bytes[...])
      case .file(let source): try Self.readPieces(source, write)
      }
      guard size > 0 else {
        throw Refusal.invalid("attachments.empty", "file", Text("文件是空的（0 字节）。", "The file is empty (0 bytes)."))
      }
      guard fsync(descriptor) == 0 else { throw Self.trouble(errno) }
      return Received(temporary: temporary, digest: hash.finish().hex, size: size)
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// Gives it its place; where the same bytes lie already, they stay and count as fresh.
  func publish(_ received: Received) throws {
    let place = place(of: received.digest)
    let folder = String(place.prefix(path.utf8.count + 3))
    try makeFolder(folder)
    var known = stat()
    if stat(place, &known) == 0, Int(known.st_size) == received.size, (try? digest(ofFileAt: place)) == received.digest
    {
      utimes(place, nil)
      unlink(received.temporary)
      return
    }
    guard rename(received.temporary, place) == 0 else { throw Self.trouble(errno) }
    try flush(folder)
  }

  func discard(_ received: Received) { unlink(received.temporary) }

  // MARK: Giving out

  /// The file's place after it was read through: refused when it is gone or no longer what was handed in.
  func checked(_ digest: String) throws -> String {
    let place = place(of: digest)
    guard access(place, F_OK) == 0 else {
      throw Refusal(
        .unavailable, "attachments.missing",
        Text(
          "附件文件已不在数据目录中，请联系系统管理员从备份恢复。",
          "The attachment's file is gone from the data folder; ask the administrator to restore it from a backup."))
    }
    guard try self.digest(ofFileAt: place) == digest else {
      throw Refusal(
        .unavailable, "attachments.damaged",
        Text(
          "附件文件与登记的摘要不符，内容已被改动或损坏，不予提供。请联系系统管理员从备份恢复。",
          "The attachment's file does not have its recorded digest: it was changed or damaged and is not given out. Ask the administrator to restore it from a backup."
        ))
    }
    return place
  }

  /// SM3 of what lies there now.
  package func digest(ofFileAt place: String) throws -> String {
    var hash = SM3()
    try Self.readPieces(place) { piece in piece.withUnsafeBytes { hash.update($0) } }
    return hash.finish().hex
  }

  // MARK: Sweeping

  /// Digests of the files that lie here unchanged since `moment`, and temporary files as old, which are removed.
  func old(before moment: Instant) throws -> [String] {
    var found: [String] = []
    for folder in Self.names(in: path) where folder.utf8.count == 2 || folder == "incoming" {
      for name in Self.names(in: "\(path)/\(folder)") {
        let file = "\(path)/\(folder)/\(name)"
        var about = stat()
        guard stat(file, &about) == 0, Int64(about.st_mtim.tv_sec) * 1000 < moment.milliseconds else { continue }
        if folder == "incoming" { unlink(file) } else { found.append(name) }
      }
    }
    return found.sorted()
  }

  func remove(_ digest: String) { unlink(place(of: digest)) }

  /// Keeps the sweep off while something is being added or backed up (`isExclusive: false`), or everybody else off the sweep.
  /// Nil when an exclusive hold is not to be had now. Close the descriptor to let go.
  package func hold(isExclusive: Bool) throws -> Int32? {
    try makeFolder(path)
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.trouble(errno) }
    guard flock(descriptor, isExclusive ? LOCK_EX | LOCK_NB : LOCK_SH) == 0 else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  // MARK: Parts

  private static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }

  private static func readPieces(_ path: String, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw trouble(errno) }
    defer { close(descriptor) }
    var piece = [UInt8](repeating: 0, count: 256 << 10)
    while true {
      let count = read(descriptor, &piece, piece.count)
      guard count >= 0 else { throw trouble(errno) }
      if count == 0 { return }
      try body(piece[..<count])
    }
  }

  private func makeFolder(_ folder: String) throws {
    guard mkdir(folder, 0o700) != 0, errno != EEXIST else { return }
    guard errno == ENOENT, let slash = folder.lastIndex(of: "/"), slash > folder.startIndex else {
      throw Self.trouble(errno)
    }
    try makeFolder(String(folder[..<slash]))
    guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw Self.trouble(errno) }
  }

  private func flush(_ folder: String) throws {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.trouble(errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Self.trouble(errno) }
  }

  package static func tooLarge(_ most: Int) -> Refusal {
    Refusal(
      .tooLarge, "attachments.size",
      Text("附件最大 \(most >> 20) MiB。", "An attachment is at most \(most >> 20) MiB."),
      faults: [.init("file", Text("附件最大 \(most >> 20) MiB。", "An attachment is at most \(most >> 20) MiB."))])
  }

  static func trouble(_ code: Int32) -> Refusal {
    switch code {
    case ENOSPC, EDQUOT:
      Refusal(
        .unavailable, "attachments.disk-full",
        Text(
          "服务器磁盘已满，附件没有保存。请联系系统管理员。", "The server's disk is full; the attachment was not kept. Tell the administrator.")
      )
    default:
      Refusal(
        .unavailable, "attachments.disk",
        Text(
          "附件目录读写失败（\(String(cString: strerror(code)))），附件没有保存。",
          "The folder of attachments cannot be used (\(String(cString: strerror(code)))); nothing was kept."))
    }
  }
}
