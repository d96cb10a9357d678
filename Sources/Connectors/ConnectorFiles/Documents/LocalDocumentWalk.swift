import Connecting
import Glibc
import Kernel
import Remote

/// Of a folder of this machine. Each folder is opened from the one it lies in and no link is followed, so that nobody can
/// lead the walk elsewhere while it is under way.
final class LocalDocumentWalk: DocumentWalk {
  private static let mostNames = 1_000_000
  /// More than what a kernel's file times are apart, in microseconds.
  private static let tick: Int64 = 20_000

  private(set) var links = 0
  private let root: String
  private var folders: [CInt] = []
  private var descent: FolderDescent<Void>

  /// `table` is a folder of `home`; nil for that itself.
  init(_ home: String, _ table: String?, from path: [UInt8]) throws(ConnectorError) {
    root = table.map { home + "/" + $0 } ?? home
    descent = FolderDescent(from: path)
    let folder = Glibc.open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw .folder("files", home, "不存在或无权打开", "does not exist or may not be opened") }
    guard let table else {
      try enter([], folder)
      return
    }
    defer { close(folder) }
    let inner = openat(folder, table, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard inner >= 0 else {
      guard errno == EACCES else {
        throw .contract(
          "table-missing", "没有文件夹“\(table)”，或它是一个链接。", "There is no folder “\(table)”, or it is a link.")
      }
      throw .folder("files", root, "无权打开", "may not be opened")
    }
    try enter([], inner)
  }

  deinit { for folder in folders { close(folder) } }

  private func enter(_ path: [UInt8], _ folder: CInt) throws(ConnectorError) {
    folders.append(folder)
    let entries = try names(in: folder)
    descent.enter(path, entries)
  }

  private func names(in folder: CInt) throws(ConnectorError) -> [FolderDescent<Void>.Entry] {
    let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let stream = fdopendir(copy) else {
      if copy >= 0 { close(copy) }
      throw .folder("files", root, "无法列出", "cannot be listed")
    }
    defer { closedir(stream) }
    var entries: [FolderDescent<Void>.Entry] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: UInt8.self, capacity: 256) {
          Array(UnsafeBufferPointer(start: $0, count: strlen($0)))
        }
      }
      guard name.first != UInt8(ascii: "."), let status = Self.status(name, in: folder) else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: entries.append(.init(name: name, isFolder: true, item: ()))
      case S_IFREG: entries.append(.init(name: name, isFolder: false, item: ()))
      case S_IFLNK: links += 1
      default: continue
      }
      guard entries.count <= Self.mostNames else {
        throw .folder(
          "files", root, "其中一个文件夹超过 \(Self.mostNames) 个文件，请分目录存放",
          "one folder in it holds more than \(Self.mostNames) files; use several")
      }
    }
    return entries
  }

  private static func status(_ name: [UInt8], in folder: CInt) -> stat? {
    var status = stat()
    let code = (name + [0]).withUnsafeBufferPointer { name in
      name.withMemoryRebound(to: CChar.self) {
        fstatat(folder, $0.baseAddress.unsafelyUnwrapped, &status, AT_SYMLINK_NOFOLLOW)
      }
    }
    return code == 0 ? status : nil
  }

  private static func open(_ name: [UInt8], in folder: CInt, _ flags: CInt) -> CInt {
    (name + [0]).withUnsafeBufferPointer { name in
      name.withMemoryRebound(to: CChar.self) {
        openat(folder, $0.baseAddress.unsafelyUnwrapped, flags | O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
      }
    }
  }

  private static func name(_ path: [UInt8]) -> [UInt8] {
    path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[($0 + 1)...]) } ?? path
  }

  func next() throws(ConnectorError) -> FoundDocument? {
    while let step = descent.next() {
      switch step {
      case .left: if let folder = folders.popLast() { close(folder) }
      case .folder(let path, _):
        guard folders.count < FileStores.deepest else { throw FileStores.tooDeep }
        let inner = Self.open(Self.name(path.dropLast()), in: folders[folders.count - 1], O_DIRECTORY)
        if inner < 0 {
          // Gone, or another thing by now.
          guard errno == EACCES else { continue }
          throw .folder(
            "files", root + "/" + String(decoding: path, as: UTF8.self), "无权打开", "may not be opened")
        }
        try enter(path, inner)
      case .file(let path, _):
        let judgement = DocumentPath.judge(path)
        guard judgement != .leftOut, let status = Self.status(Self.name(path), in: folders[folders.count - 1]),
          status.st_mode & S_IFMT == S_IFREG
        else { continue }
        var found = Self.found(path, status)
        if case .fault(let fault) = judgement { found.fault = fault }
        return found
      }
    }
    return nil
  }

  private static func name(_ path: ArraySlice<UInt8>) -> [UInt8] { name(Array(path)) }

  private static func found(_ path: [UInt8], _ status: stat) -> FoundDocument {
    let identity = SourceFile.Identity(status)
    let modified = DocumentTime.microseconds(seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    let changed = DocumentTime.microseconds(seconds: status.st_ctim.tv_sec, nanoseconds: status.st_ctim.tv_nsec)
    return FoundDocument(
      path: path, size: identity.size, modified: modified, changed: max(modified, changed),
      written: changed, mark: Array("\(identity.inode) \(identity.size) \(identity.modified) \(identity.changed)".utf8))
  }

  /// A file of one part is read in place; of a longer one nothing is delivered before all of it was copied unchanged.
  func open(_ found: FoundDocument) throws(ConnectorError) -> DocumentContent? {
    let name = Self.name(found.path)
    let folder = folders[folders.count - 1]
    let descriptor = Self.open(name, in: folder, 0)
    guard descriptor >= 0 else {
      guard errno == EACCES else { return nil }
      throw .file(
        "files", String(decoding: found.path, as: UTF8.self), "无权读取；请为平台账号授予读权限或移走该文件",
        "may not be read: let the platform's account read it, or move it away")
    }
    let file = OpenDescriptor(descriptor)
    let isUnchanged = {
      var status = stat()
      guard fstat(file.descriptor, &status) == 0, Self.found(found.path, status).mark == found.mark else {
        return false
      }
      return Self.status(name, in: folder).map { Self.found(found.path, $0).mark == found.mark } ?? false
    }
    // Until the tick is over in which it was written to, another write leaves no trace.
    if DocumentTime.microseconds(Clock.system.now()) - found.written < Self.tick { usleep(UInt32(Self.tick)) }
    guard isUnchanged() else { return nil }
    let content = DocumentContent(size: found.size, modified: found.modified, bytes: file.read, verify: isUnchanged)
    guard found.size > DocumentParts.bytes else { return content }
    let spool = try SpoolFile()
    try spool.append(content)
    return spool.count == found.size && isUnchanged()
      ? DocumentContent(spool, 0..<found.size, modified: found.modified) : nil
  }
}

/// A descriptor that is closed with the last reference.
final class OpenDescriptor {
  let descriptor: CInt

  init(_ descriptor: CInt) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  func read(into target: UnsafeMutableRawPointer, _ wanted: Int, at offset: Int) throws(ConnectorError) -> Int {
    while true {
      let got = pread(descriptor, target, wanted, offset)
      if got >= 0 { return got }
      let code = errno
      guard code == EINTR else {
        throw ConnectorError(
          .retryable, "files.read", Text("读取文件失败（errno \(code)）。", "Reading a file failed (errno \(code))."))
      }
    }
  }
}

extension SpoolFile {
  /// All of it, a piece at a time; ends early where there are fewer bytes than there were.
  func append(_ content: DocumentContent) throws(ConnectorError) {
    let room = DocumentParts.bytes
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 4096)
    defer { buffer.deallocate() }
    var offset = 0
    while offset < content.size {
      let got = try content.read(into: buffer, room, at: offset)
      guard got > 0 else { return }
      try append(UnsafeRawBufferPointer(start: buffer, count: got))
      offset += got
    }
  }
}
