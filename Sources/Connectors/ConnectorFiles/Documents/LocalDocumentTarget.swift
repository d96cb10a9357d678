import Connecting
import Glibc
import Kernel
import Remote

/// A folder of this machine.
final class LocalDocumentTarget: DocumentTarget {
  let hidden: any TargetFolder
  let isNear = true
  private let home: String
  private let table: String
  /// How long another worker is waited for who puts files in place.
  private let patience: Duration
  private let step: (TargetStep) throws(ConnectorError) -> Void
  /// Folders whose names changed and are not on the disk for sure.
  private var unsettled: Set<[UInt8]> = []

  private var path: String { home + "/" + table }

  init(
    _ table: String, in home: String, patience: Duration = .seconds(30),
    step: @escaping (TargetStep) throws(ConnectorError) -> Void = { _ in }
  ) {
    self.home = home
    self.table = table
    self.patience = patience
    self.step = step
    hidden = LocalTargetFolder(DocumentNames.hidden, in: home + "/" + table, step: step)
  }

  func prepare() throws(ConnectorError) {
    try LocalTargetFolder(table, in: home).prepare()
    try hidden.prepare()
  }

  func visible() throws(ConnectorError) -> Bool { try LocalDocumentWalk(home, table, from: []).next() != nil }

  func alone<T>(_ body: () throws(ConnectorError) -> T) throws(ConnectorError) -> T {
    let name = path + "/" + DocumentNames.hidden + "/lock"
    let descriptor = Glibc.open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .writing(errno, "lock", in: path) }
    // Ends with the process, however that ends.
    let lock = OpenDescriptor(descriptor)
    let end = ContinuousClock.now + patience
    while flock(lock.descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        throw ConnectorError(
          .permanent, "documents.no-lock",
          Text(
            "文件夹 \(path) 所在的文件系统不支持锁，不能作为接收方。",
            "The file system of the folder \(path) knows no locks: it cannot receive."))
      }
      guard ContinuousClock.now < end else {
        throw ConnectorError(
          .retryable, "documents.busy",
          Text("另一个任务正在放置文件，稍后重试。", "Another worker is putting files in place; to be tried again later."))
      }
      usleep(20_000)
    }
    defer { withExtendedLifetime(lock) {} }
    return try body()
  }

  func gather(
    _ content: SpoolFile, as name: String, through temporary: String, modified: Int64
  ) throws(ConnectorError) -> Bool {
    guard try hidden.create(content, as: name, through: temporary) else { return false }
    let (seconds, rest) = (modified / 1_000_000, modified % 1_000_000)
    var times = [timespec(), timespec()]
    // UTIME_OMIT, which is no constant to Swift: the time of reading stays.
    times[0].tv_nsec = (1 << 30) - 2
    times[1].tv_sec = Int(rest < 0 ? seconds - 1 : seconds) + DocumentTime.epoch
    times[1].tv_nsec = Int(rest < 0 ? rest + 1_000_000 : rest) * 1000
    // A time is not worth a delivery: what the file system does not take shows in the receipt.
    utimensat(AT_FDCWD, path + "/" + DocumentNames.hidden + "/" + name, times, AT_SYMLINK_NOFOLLOW)
    return true
  }

  /// The folder that a path's file lies in, from one to the next without following a link. Nil where it is not there.
  private func folder(of path: String, making: Bool) throws(ConnectorError) -> (folder: OpenDescriptor, name: String)? {
    let root = Glibc.open(self.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard root >= 0 else { throw .folder("files", self.path, "不存在或无权打开", "does not exist or may not be opened") }
    var folder = OpenDescriptor(root)
    var names = path.split(separator: "/").map(String.init)
    let name = names.removeLast()
    for (index, part) in names.enumerated() {
      if making, mkdirat(folder.descriptor, part, 0o777) == 0 {
        unsettled.insert(Array(names[..<index].joined(separator: "/").utf8))
      } else if making, errno != EEXIST {
        throw .writing(errno, path, in: self.path)
      }
      let inner = openat(folder.descriptor, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard inner >= 0 else {
        if errno == ENOENT { return nil }
        if errno == ENOTDIR || errno == ELOOP {
          guard making else { return nil }
          throw .documentClash(path)
        }
        throw .writing(errno, path, in: self.path)
      }
      folder = OpenDescriptor(inner)
    }
    return (folder, name)
  }

  func check(_ path: String) throws(ConnectorError) {
    guard let (folder, name) = try folder(of: path, making: true) else { throw .documentClash(path) }
    var status = stat()
    guard fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .documentClash(path) }
  }

  func publish(_ name: String, as path: String) throws(ConnectorError) {
    guard let (folder, last) = try folder(of: path, making: true) else { throw .documentClash(path) }
    let code = renameat(AT_FDCWD, self.path + "/" + DocumentNames.hidden + "/" + name, folder.descriptor, last)
    if code != 0 {
      switch errno {
      case ENOENT: return
      case EISDIR, ENOTEMPTY, EEXIST: throw .documentClash(path)
      default: throw .writing(errno, path, in: self.path)
      }
    }
    unsettled.insert(Array(path.split(separator: "/").dropLast().joined(separator: "/").utf8))
    try step(.published(path))
  }

  func remove(_ path: String) throws(ConnectorError) {
    guard let (folder, name) = try folder(of: path, making: false) else { return }
    var status = stat()
    guard fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
      status.st_mode & S_IFMT == S_IFREG
    else { return }
    guard unlinkat(folder.descriptor, name, 0) == 0 || errno == ENOENT else {
      throw .writing(errno, path, in: self.path)
    }
    var names = path.split(separator: "/").dropLast().map(String.init)
    while !names.isEmpty, rmdir(self.path + "/" + names.joined(separator: "/")) == 0 { names.removeLast() }
    unsettled.insert(Array(names.joined(separator: "/").utf8))
  }

  func settle() throws(ConnectorError) {
    for bytes in unsettled {
      let name = String(decoding: bytes, as: UTF8.self)
      let folder = Glibc.open(name.isEmpty ? path : path + "/" + name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      // One that is gone again is as it should be.
      guard folder >= 0 else { continue }
      defer { close(folder) }
      guard fsync(folder) == 0 else { throw .writing(errno, name, in: path) }
    }
    unsettled = []
  }

  func mayHold(_ version: DocumentVersion, at path: String) throws(ConnectorError) -> Bool {
    guard let (folder, name) = try folder(of: path, making: false) else { return false }
    var status = stat()
    guard fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFREG
    else { return false }
    return Int(status.st_size) == version.size && DocumentTime.isSame(Self.modified(status), version.modified)
  }

  private static func modified(_ status: stat) -> Int64 {
    DocumentTime.microseconds(seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
  }

  func open(_ path: String) throws(ConnectorError) -> DocumentContent? {
    guard let (folder, name) = try folder(of: path, making: false) else { return nil }
    let descriptor = openat(folder.descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    let file = OpenDescriptor(descriptor)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return DocumentContent(size: Int(status.st_size), modified: Self.modified(status), bytes: file.read)
  }
}
