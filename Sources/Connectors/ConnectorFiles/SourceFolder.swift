import Connecting
import Glibc

/// The folder as a list of tables.
enum SourceFolder {
  /// A file name with that ending, of at most 200 bytes, without path, control characters or a leading dot.
  static func isTableName(_ name: String, ending: String = ".csv") -> Bool {
    let bytes = name.utf8
    return bytes.count <= 200 && bytes.count > ending.utf8.count && bytes.first != UInt8(ascii: ".")
      && name.lowercased().hasSuffix(ending) && !bytes.contains { $0 < 0x20 || $0 == UInt8(ascii: "/") || $0 == 0x7F }
  }

  /// Regular files with such names, sorted.
  static func tables(in path: String, endings: [String] = [".csv"], origin: String = "csv") throws(ConnectorError)
    -> [String]
  {
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
      guard let name, endings.contains(where: { isTableName(name, ending: $0) }) else { continue }
      var status = stat()
      guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFREG else {
        continue
      }
      names.append(name)
    }
    return names.sorted()
  }
}
