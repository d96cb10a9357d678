internal import Connecting
internal import Inventory
package import Kernel
internal import NationalCrypto

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The files of one folder whose names fit a pattern: how many, the newest, and a digest of their content.
package struct FileSet: Hashable, Sendable {
  package var count: Int
  package var bytes: Int
  package var newest: Instant
  /// Of names and contents; of names, sizes and times for what lies beyond `digested`.
  package var digest: String

  /// A folder with more fitting files is no file set.
  static let most = 10_000
  /// So many bytes are read for the digest.
  static let digested = 256 << 20

  /// Why a pattern is none: it names files of the folder itself, with `*` and `?`.
  package static func fault(inPattern pattern: String) -> Text? {
    guard (1...200).contains(pattern.utf8.count), !pattern.contains("/"), !pattern.hasPrefix("."),
      !pattern.unicodeScalars.contains(where: { $0.value < 0x20 })
    else {
      return Text(
        "请填写文件夹内的文件名，可用 * 和 ?，如 *.csv。", "Enter names of files of the folder, with * and ?, such as *.csv.")
    }
    return nil
  }

  static func read(_ address: SourceAddress, pattern: String) throws -> FileSet {
    guard let folder = address.settings["folder"] else {
      throw ConnectorError(
        .permanent, "mounting.no-folder", Text("这个数据源不是文件夹。", "This source is no folder of files."))
    }
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0, let stream = fdopendir(descriptor) else {
      throw ConnectorError(
        .permanent, "mounting.folder", Text("文件夹不存在或无权打开。", "The folder does not exist or may not be opened."))
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      guard let name, fnmatch(pattern, name, FNM_PERIOD) == 0 else { continue }
      names.append(name)
      guard names.count <= most else {
        throw ConnectorError(
          .permanent, "mounting.files-many", Text("符合的文件超过 \(most) 个。", "More than \(most) files fit."))
      }
    }
    return try digest(names.sorted(), in: dirfd(stream), pattern)
  }

  private static func digest(_ names: [String], in folder: CInt, _ pattern: String) throws -> FileSet {
    var hash = SM3()
    var set = FileSet(count: 0, bytes: 0, newest: Instant(milliseconds: 0), digest: "")
    var room = digested
    for name in names {
      let file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
      guard file >= 0 else {
        throw ConnectorError(
          .permanent, "mounting.file", Text("文件“\(name)”无权读取。", "The file “\(name)” may not be read."))
      }
      defer { close(file) }
      var status = stat()
      guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
      let modified = Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
      set.count += 1
      set.bytes += Int(status.st_size)
      set.newest = max(set.newest, Instant(milliseconds: modified))
      hash.update("\(name)\n\(status.st_size)\n")
      guard Int(status.st_size) <= room else {
        hash.update("\(modified)\n")
        continue
      }
      room -= Int(status.st_size)
      var buffer = [UInt8](repeating: 0, count: 1 << 18)
      while true {
        let got = Glibc.read(file, &buffer, buffer.count)
        guard got > 0 else { break }
        buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<got])) }
      }
    }
    guard set.count > 0 else {
      throw ConnectorError(
        .contract, "mounting.no-file", Text("没有符合“\(pattern)”的文件。", "No file fits “\(pattern)”."))
    }
    set.digest = hash.finish().hex
    return set
  }
}
