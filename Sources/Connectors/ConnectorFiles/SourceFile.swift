import Connecting
import Glibc
import Kernel
import Remote

/// One open file: of a folder on this machine, or a stretch of what was copied here from elsewhere. Not thread-safe;
/// closed with the last reference.
///
/// Read in pieces with `pread`, never mapped: a mapped file that somebody cuts short kills the process.
final class SourceFile {
  /// What the file system says of a file; any change of content changes it (its ctime cannot be set).
  struct Identity: Hashable {
    var device: UInt
    var inode: UInt
    var size: Int
    var modified: Int
    var changed: Int

    init(size: Int, modified: Int) {
      (device, inode, changed) = (0, 0, 0)
      self.size = size
      self.modified = modified
    }

    init(_ status: stat) {
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
      size = Int(status.st_size)
      modified = status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec
      changed = status.st_ctim.tv_sec &* 1_000_000_000 &+ status.st_ctim.tv_nsec
    }
  }

  let name: String
  /// The sort of connector whose file this is, with which its faults' codes begin.
  let origin: String
  let identity: Identity
  /// Of the copy, where there is one; else of the file itself.
  let descriptor: CInt
  private let folder: CInt
  private let spool: (file: SpoolFile, start: Int)?

  var size: Int { identity.size }

  /// `name` is one of the folder's files, not a path; links are not followed, so that a table cannot lie elsewhere.
  init(
    folder path: String, name: String, ending: String = ".csv", origin: String = "csv"
  ) throws(ConnectorError) {
    guard SourceFolder.isTableName(name, ending: ending) else {
      throw .file(
        origin, name, "不是这个文件夹里的 \(ending.dropFirst().uppercased()) 文件名",
        "is no name of a \(ending.dropFirst().uppercased()) file of this folder")
    }
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw .folder(origin, path, "不存在或无权打开", "does not exist or may not be opened") }
    let descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      Glibc.close(folder)
      throw .file(origin, name, "不存在或无权打开", "does not exist or may not be opened")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      Glibc.close(descriptor)
      Glibc.close(folder)
      throw .file(origin, name, "不是普通文件", "is no regular file")
    }
    self.name = name
    self.origin = origin
    self.folder = folder
    self.descriptor = descriptor
    spool = nil
    identity = Identity(status)
  }

  /// A copy of a file from elsewhere, which nobody else can reach or change.
  init(_ copy: FetchedFile, in spool: SpoolFile) {
    name = copy.name
    origin = "files"
    folder = -1
    descriptor = spool.descriptor
    self.spool = (spool, copy.range.lowerBound)
    identity = Identity(size: copy.range.count, modified: Int(copy.modified?.milliseconds ?? 0) * 1_000_000)
  }

  deinit {
    guard spool == nil else { return }
    Glibc.close(descriptor)
    Glibc.close(folder)
  }

  /// Up to `count` bytes at that offset; 0 only at the end the file had when it was opened.
  func read(into target: UnsafeMutableRawPointer, _ count: Int, at offset: Int) throws(ConnectorError) -> Int {
    let wanted = min(count, size - offset)
    guard wanted > 0 else { return 0 }
    if let spool { return try spool.file.read(into: target, wanted, at: spool.start + offset) }
    while true {
      let got = pread(descriptor, target, wanted, offset)
      if got > 0 { return got }
      if got == 0 { throw .changedWhileRead(self) }
      guard errno == EINTR else {
        throw ConnectorError(
          .retryable, "\(origin).read",
          .init("读取文件“\(name)”失败（errno \(errno)）。", "Reading the file “\(name)” failed (errno \(errno))."))
      }
    }
  }

  /// Throws unless this very content still stands under its name. Asked of the descriptor and of the name: replacing the
  /// only link of a file need not touch the file's own times.
  func verify() throws(ConnectorError) {
    guard spool == nil else { return }
    var status = stat()
    guard fstat(descriptor, &status) == 0, Identity(status) == identity else { throw .changedWhileRead(self) }
    guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0, Identity(status) == identity else {
      throw .changedWhileRead(self)
    }
  }

  /// The place of that byte; reads the file up to it, so only for errors. In UTF-16 a line feed is two bytes.
  func place(_ byte: Int, in encoding: CSVEncoding) throws(ConnectorError) -> FilePlace {
    var line = 1
    var offset = 0
    let room = 1 << 16
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
    defer { buffer.deallocate() }
    while offset < byte {
      let got = try read(into: buffer, min(room, byte - offset), at: offset)
      guard got > 0 else { break }
      switch encoding {
      case .utf8, .gb18030:
        for index in 0..<got where buffer.load(fromByteOffset: index, as: UInt8.self) == 0x0A { line += 1 }
      case .utf16LittleEndian, .utf16BigEndian:
        // Pieces begin at even offsets, since `room` is even.
        for index in stride(from: 0, to: got - 1, by: 2)
        where encoding.unit(UnsafeRawPointer(buffer + index)) == 0x0A { line += 1 }
      }
      offset += got
    }
    return FilePlace(byte: byte, line: line)
  }
}

extension SourceFile {
  /// A digest of the whole content.
  func contentDigest() throws(ConnectorError) -> [UInt8] {
    var digest = ContentDigest()
    try pieces { bytes throws(ConnectorError) in digest.add(bytes) }
    return digest.bytes
  }

  /// For readers that want a file of their own: nil where this is one already.
  func wholeCopy() throws(ConnectorError) -> SpoolFile? {
    guard let spool, spool.start > 0 || spool.file.count > size else { return nil }
    let copy = try SpoolFile()
    try pieces { bytes throws(ConnectorError) in try copy.append(bytes) }
    return copy
  }

  private func pieces(_ body: (UnsafeRawBufferPointer) throws(ConnectorError) -> Void) throws(ConnectorError) {
    let room = 1 << 18
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
    defer { buffer.deallocate() }
    var offset = 0
    while true {
      let got = try read(into: buffer, room, at: offset)
      if got == 0 { return }
      try body(UnsafeRawBufferPointer(start: buffer, count: got))
      offset += got
    }
  }
}
