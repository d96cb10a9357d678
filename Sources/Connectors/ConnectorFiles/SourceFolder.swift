import Connecting
import Glibc

/// The folder as a list of tables.
enum SourceFolder {
  /// A file name with that ending, of at most 200 bytes, without path, control characters or a leading dot;
  /// `~$…` is the mark that Excel leaves beside a workbook that somebody has open.
  static func isTableName(_ name: String, ending: String = ".csv") -> Bool {
    let bytes = name.utf8
    return bytes.count <= 200 && bytes.count > ending.utf8.count && bytes.first != UInt8(ascii: ".")
      && !name.hasPrefix("~$")
      && name.lowercased().hasSuffix(ending) && !bytes.contains { $0 < 0x20 || $0 == UInt8(ascii: "/") || $0 == 0x7F }
  }

  /// The folders directly within, without hidden ones and links, in no order.
  static func folders(in path: String) throws(ConnectorError) -> [String] {
    try names(in: path, origin: "files") { name, kind in kind == S_IFDIR && !name.hasPrefix(".") }
  }

  /// Regular files with such names, sorted.
  static func tables(in path: String, endings: [String] = [".csv"], origin: String = "csv") throws(ConnectorError)
    -> [String]
  {
    try names(in: path, origin: origin) { name, kind in
      kind == S_IFREG && endings.contains { isTableName(name, ending: $0) }
    }.sorted()
  }

  /// `takes` is asked of each entry with its kind of file.
  private static func names(
    in path: String, origin: String, _ takes: (_ name: String, _ kind: mode_t) -> Bool
  ) throws(ConnectorError) -> [String] {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .folder(origin, path, "不存在或无权打开", "does not exist or may not be opened") }
    guard let stream = fdopendir(descriptor) else {
      close(descriptor)
      throw .folder(origin, path, "无法列出", "cannot be listed")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      var status = stat()
      guard let name, fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
        takes(name, status.st_mode & S_IFMT)
      else { continue }
      names.append(name)
    }
    return names
  }
}
