import Connecting
import Glibc
import Kernel
import Remote

/// The folder of one table that rows are written to, wherever it is. Used by one thread.
protocol TargetFolder: AnyObject {
  /// Makes it where it is missing.
  func prepare() throws(ConnectorError)
  /// Its files' names; none where it is not there.
  func names() throws(ConnectorError) -> [String]
  /// See `FileStore.create`. Lasting when it returns, as far as the store can promise.
  func create(_ content: SpoolFile, as name: String, through temporary: String) throws(ConnectorError) -> Bool
  /// Nil where there is none.
  func open(_ name: String) throws(ConnectorError) -> SourceFile?
  func remove(_ name: String) throws(ConnectorError)
}

/// A moment in the making of a file, for tests that end a worker there.
enum TargetStep: Hashable, Sendable {
  case began(String)
  /// All bytes lie under the temporary name.
  case gathered(String)
  case named(String)
  /// A document stands at its path.
  case published(String)
}

/// A folder of this machine.
final class LocalTargetFolder: TargetFolder {
  private let home: String
  private let name: String
  private let step: (TargetStep) throws(ConnectorError) -> Void

  private var path: String { home + "/" + name }

  init(
    _ name: String, in home: String, step: @escaping (TargetStep) throws(ConnectorError) -> Void = { _ in }
  ) {
    self.home = home
    self.name = name
    self.step = step
  }

  func prepare() throws(ConnectorError) {
    let parent = Glibc.open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard parent >= 0 else { throw .folder("files", home, "不存在或无权打开", "does not exist or may not be opened") }
    defer { close(parent) }
    // A link in the table's place would lead out of what the operator allowed.
    if mkdirat(parent, name, 0o777) == 0 {
      fsync(parent)
    } else if errno != EEXIST {
      throw fault(errno, name)
    }
    close(try folder())
  }

  private func folder() throws(ConnectorError) -> CInt {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw .folder("files", path, "不存在或无权打开", "does not exist or may not be opened") }
    return descriptor
  }

  func names() throws(ConnectorError) -> [String] {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return [] }
    return try SourceFolder.tables(in: path, endings: [""], origin: "files")
  }

  func create(_ content: SpoolFile, as name: String, through temporary: String) throws(ConnectorError) -> Bool {
    let folder = try folder()
    defer { close(folder) }
    try step(.began(name))
    let file = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw fault(errno, temporary) }
    do throws(ConnectorError) {
      defer { close(file) }
      try copy(content, to: file, name)
      guard fsync(file) == 0 else { throw fault(errno, name) }
    } catch {
      unlinkat(folder, temporary, 0)
      throw error
    }
    try step(.gathered(name))
    // A link is made or not: it never takes the place of a file that is there, as a renaming would.
    let code = linkat(folder, temporary, folder, name, 0) == 0 ? 0 : errno
    unlinkat(folder, temporary, 0)
    guard code == 0 || code == EEXIST else {
      // What was gathered here has been put away, as only a successor does.
      if code == ENOENT { throw .takenOver }
      if code == EPERM || code == EOPNOTSUPP || code == ENOSYS { throw Self.cannotKeepApart(path) }
      throw fault(code, name)
    }
    guard fsync(folder) == 0 else { throw fault(errno, name) }
    try step(.named(name))
    return code == 0
  }

  private func copy(_ content: SpoolFile, to file: CInt, _ name: String) throws(ConnectorError) {
    let room = 1 << 20
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 4096)
    defer { buffer.deallocate() }
    var offset = 0
    while offset < content.count {
      let got = try content.read(into: buffer, room, at: offset)
      guard got > 0 else { throw fault(EIO, name) }
      var at = 0
      while at < got {
        let put = Glibc.write(file, buffer + at, got - at)
        if put < 0, errno == EINTR { continue }
        guard put > 0 else { throw fault(put == 0 ? ENOSPC : errno, name) }
        at += put
      }
      offset += got
    }
  }

  func open(_ name: String) throws(ConnectorError) -> SourceFile? {
    let folder = try folder()
    defer { close(folder) }
    var status = stat()
    guard fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      guard errno == ENOENT else { throw fault(errno, name) }
      return nil
    }
    guard let dot = name.lastIndex(of: ".") else { return nil }
    return try SourceFile(folder: path, name: name, ending: name[dot...].lowercased(), origin: "files")
  }

  func remove(_ name: String) throws(ConnectorError) {
    let folder = try folder()
    defer { close(folder) }
    guard unlinkat(folder, name, 0) == 0 || errno == ENOENT else { throw fault(errno, name) }
  }

  static func cannotKeepApart(_ place: String) -> ConnectorError {
    ConnectorError(
      .permanent, "files.no-exclusive-names",
      Text(
        "\(place)：新文件会覆盖同名文件，无法保证两个任务不互相覆盖，因此不能作为接收方。",
        "\(place): a new file takes the place of one of the same name, so that two workers could not be kept apart. It cannot receive."
      ))
  }

  private func fault(_ code: CInt, _ name: String) -> ConnectorError { .writing(code, name, in: path) }
}

extension ConnectorError {
  /// What a system's error means for a file that is to be written into a folder of this machine.
  static func writing(_ code: CInt, _ name: String, in path: String) -> ConnectorError {
    switch code {
    case ENOSPC, EDQUOT, EFBIG:
      ConnectorError(
        .retryable, "files.full",
        Text("写入文件夹 \(path) 时空间已满。", "No room left in the folder \(path)."))
    case EACCES, EROFS, EPERM:
      ConnectorError(
        .permanent, "files.denied", Text("无权写入文件夹 \(path)。", "The folder \(path) may not be written to."))
    default:
      ConnectorError(
        .retryable, "files.write",
        Text("写文件“\(name)”失败（errno \(code)）。", "Writing the file “\(name)” failed (errno \(code))."))
    }
  }
}

/// A folder of a store elsewhere.
final class RemoteTargetFolder: TargetFolder {
  private let store: any FileStore
  private let cancellation: RemoteCancellation

  init(_ store: any FileStore, _ cancellation: RemoteCancellation) {
    self.store = store
    self.cancellation = cancellation
  }

  /// Stores make folders with their first file.
  func prepare() throws(ConnectorError) {}

  func names() throws(ConnectorError) -> [String] {
    do throws(ConnectorError) {
      return try store.list(cancellation).map(\.name)
    } catch {
      if error.code == "remote.missing", store.address.scheme == .sftp { return [] }
      throw error
    }
  }

  func create(_ content: SpoolFile, as name: String, through temporary: String) throws(ConnectorError) -> Bool {
    try store.create(content, as: name, through: temporary, cancellation)
  }

  func open(_ name: String) throws(ConnectorError) -> SourceFile? {
    let spool = try SpoolFile()
    do throws(ConnectorError) {
      return try store.fetch([StoredFile(name: name)], into: spool, cancellation).first.map {
        SourceFile($0, in: spool)
      }
    } catch {
      if error.code == "remote.missing" { return nil }
      throw error
    }
  }

  func remove(_ name: String) throws(ConnectorError) {
    do throws(ConnectorError) { try store.remove(name, cancellation) } catch {
      guard error.code == "remote.missing" else { throw error }
    }
  }
}

extension TargetFolder {
  /// Throws unless of two files of one name only the first is made: without that nothing keeps two workers apart.
  func checkNamesAreExclusive(_ place: String, fence: Int64) throws(ConnectorError) {
    let name = "probe-\(Manifests.nonce())-f\(fence).part"
    let content = try SpoolFile()
    try content.append("probe\n")
    guard try create(content, as: name, through: name + "-f\(fence).part") else {
      throw LocalTargetFolder.cannotKeepApart(place)
    }
    let isTwice: Bool
    do throws(ConnectorError) {
      isTwice = try create(content, as: name, through: name + "-f\(fence).part")
    } catch {
      try? remove(name)
      throw error
    }
    try remove(name)
    if isTwice { throw LocalTargetFolder.cannotKeepApart(place) }
  }
}

extension SpoolFile {
  func append(_ text: String) throws(ConnectorError) {
    var failure: ConnectorError?
    Array(text.utf8).withUnsafeBytes { bytes in
      do throws(ConnectorError) { try append(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
