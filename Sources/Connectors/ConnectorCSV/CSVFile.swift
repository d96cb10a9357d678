import Connecting
import Glibc
import Kernel

/// One open file of the folder. Not thread-safe; closed with the last reference.
///
/// Read in pieces with `pread`, never mapped: a mapped file that somebody cuts short kills the process.
final class CSVFile {
  /// What the file system says of a file; any change of content changes it (its ctime cannot be set).
  struct Identity: Hashable {
    var device: UInt
    var inode: UInt
    var size: Int
    var modified: Int
    var changed: Int

    init(_ status: stat) {
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
      size = Int(status.st_size)
      modified = status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec
      changed = status.st_ctim.tv_sec &* 1_000_000_000 &+ status.st_ctim.tv_nsec
    }
  }

  let name: String
  let identity: Identity
  private let folder: CInt
  private let descriptor: CInt

  var size: Int { identity.size }

  /// `name` is one of the folder's files, not a path; links are not followed, so that a table cannot lie elsewhere.
  init(folder path: String, name: String) throws(ConnectorError) {
    guard CSVFolder.isTableName(name) else {
      throw .file(name, "不是这个文件夹里的 CSV 文件名", "is no name of a CSV file of this folder")
    }
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw .folder(path, "不存在或无权打开", "does not exist or may not be opened") }
    let descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      Glibc.close(folder)
      throw .file(name, "不存在或无权打开", "does not exist or may not be opened")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      Glibc.close(descriptor)
      Glibc.close(folder)
      throw .file(name, "不是普通文件", "is no regular file")
    }
    self.name = name
    self.folder = folder
    self.descriptor = descriptor
    identity = Identity(status)
  }

  deinit {
    Glibc.close(descriptor)
    Glibc.close(folder)
  }

  /// Up to `count` bytes at that offset; 0 only at the end the file had when it was opened.
  func read(into target: UnsafeMutableRawPointer, _ count: Int, at offset: Int) throws(ConnectorError) -> Int {
    let wanted = min(count, size - offset)
    guard wanted > 0 else { return 0 }
    while true {
      let got = pread(descriptor, target, wanted, offset)
      if got > 0 { return got }
      if got == 0 { throw .changedWhileRead(name) }
      guard errno == EINTR else {
        throw ConnectorError(
          .retryable, "csv.read",
          .init("读取文件“\(name)”失败（errno \(errno)）。", "Reading the file “\(name)” failed (errno \(errno))."))
      }
    }
  }

  /// Throws unless this very content still stands under its name. Asked of the descriptor and of the name: replacing the
  /// only link of a file need not touch the file's own times.
  func verify() throws(ConnectorError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0, Identity(status) == identity else { throw .changedWhileRead(name) }
    guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0, Identity(status) == identity else {
      throw .changedWhileRead(name)
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

/// The folder as a list of tables.
enum CSVFolder {
  /// A file name with the ending `.csv`, of at most 200 bytes, without path, control characters or a leading dot.
  static func isTableName(_ name: String) -> Bool {
    let bytes = name.utf8
    return bytes.count <= 200 && bytes.count > 4 && bytes.first != UInt8(ascii: ".")
      && name.lowercased().hasSuffix(".csv") && !bytes.contains { $0 < 0x20 || $0 == UInt8(ascii: "/") || $0 == 0x7F }
  }

  /// Regular files with such names, sorted.
  static func tables(in path: String) throws(ConnectorError) -> [String] {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .folder(path, "不存在或无权打开", "does not exist or may not be opened") }
    guard let stream = fdopendir(descriptor) else {
      close(descriptor)
      throw .folder(path, "无法列出", "cannot be listed")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      guard let name, isTableName(name) else { continue }
      var status = stat()
      guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFREG else {
        continue
      }
      names.append(name)
    }
    return names.sorted()
  }
}
