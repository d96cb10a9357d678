import Foundation

/// A source's folder of files: what it holds, every whole version that it ever held, and what the target must hold.
struct DocumentTree {
  struct File: Equatable {
    var bytes: Data
    /// Microseconds since 1970.
    var modified: Int

    /// Rows that the engine makes of it.
    var parts: Int { max(1, (bytes.count + DocumentTree.part - 1) / DocumentTree.part) }
  }

  /// How a file is written.
  enum Way {
    /// Under another name, then renamed.
    case aside
    /// Over what is there, at once.
    case inPlace
    /// Over what is there, with so many microseconds in the middle of it.
    case slowly(UInt32)
  }

  static let part = 512 << 10

  let folder: String
  private(set) var files: [String: File] = [:]
  private(set) var versions: [String: [Data]] = [:]
  var target: [String: File] = [:]
  /// Rows of files written since the last complete run.
  var newParts: Int { unseen.reduce(0) { $0 + (files[$1]?.parts ?? 0) } }
  private var unseen: Set<String> = []

  init(_ folder: String) throws {
    self.folder = folder
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  var paths: [String] { files.keys.sorted() }
  var parts: Int { files.values.reduce(0) { $0 + $1.parts } }
  var bytes: Int { files.values.reduce(0) { $0 + $1.bytes.count } }

  // MARK: Changing the source

  /// Files in the way go. `modified` in microseconds since 1970, in place of now.
  mutating func write(_ path: String, _ bytes: Data, _ way: Way = .aside, modified: Int? = nil) throws {
    for other in paths where other.hasPrefix(path + "/") || path.hasPrefix(other + "/") { try remove(other) }
    let file = folder + "/" + path
    let home = (file as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    versions[path, default: []].append(bytes)
    let name = if case .aside = way { home + "/.aside" } else { file }
    let descriptor = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure("\(name) cannot be written: \(errno)") }
    defer { close(descriptor) }
    let half = if case .slowly = way { bytes.count / 2 } else { bytes.count }
    try Self.put(bytes[..<half], descriptor)
    if case .slowly(let pause) = way { usleep(pause) }
    try Self.put(bytes[half...], descriptor)
    guard ftruncate(descriptor, bytes.count) == 0 else { throw Failure("\(name) cannot be cut: \(errno)") }
    if let modified {
      var times = [timespec(), timespec()]
      for index in times.indices {
        times[index].tv_sec = modified / 1_000_000
        times[index].tv_nsec = modified % 1_000_000 * 1000
      }
      futimens(descriptor, times)
    }
    if name != file, rename(name, file) != 0 { throw Failure("\(file) cannot be named: \(errno)") }
    files[path] = File(bytes: bytes, modified: Self.modified(file) ?? 0)
    unseen.insert(path)
  }

  /// Folders that are empty then go too.
  mutating func remove(_ path: String) throws {
    guard unlink(folder + "/" + path) == 0 else { throw Failure("\(path) cannot be removed: \(errno)") }
    files[path] = nil
    var home = path as NSString
    while home.pathComponents.count > 1 {
      home = home.deletingLastPathComponent as NSString
      guard rmdir(folder + "/" + (home as String)) == 0 else { return }
    }
  }

  private static func put(_ bytes: Data, _ descriptor: Int32) throws {
    var left = bytes[...]
    while !left.isEmpty {
      let count = left.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { throw Failure("a file cannot be written: \(errno)") }
      left = left.dropFirst(count)
    }
  }

  /// Microseconds since 1970; nil where no file is.
  static func modified(_ path: String) -> Int? {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return status.st_mtim.tv_sec * 1_000_000 + status.st_mtim.tv_nsec / 1000
  }

  // MARK: What a complete run leaves

  mutating func refresh() {
    target = files
    unseen = []
  }

  /// An incremental run does not see what is gone, but for what stands in the way of a file that came.
  mutating func catchUp() {
    for path in unseen {
      guard let file = files[path] else { continue }
      for other in target.keys where other.hasPrefix(path + "/") || path.hasPrefix(other + "/") { target[other] = nil }
      target[path] = file
    }
    unseen = []
  }
}
