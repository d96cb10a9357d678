import Glibc
import Kernel

/// A file that appears under its name only when it is whole: written beside it, fsynced, renamed.
struct WrittenFile {
  let path: String
  let temporary: String
  let folder: String

  /// Takes the temporary name, readable by the service's user only.
  init(_ path: String) throws(Refusal) {
    self.path = path
    folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let name = path.split(separator: "/").last ?? ""
    temporary = "\(folder)/.\(name.prefix(40)).\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.trouble(errno) }
    close(descriptor)
  }

  func discard() { unlink(temporary) }

  func publish() throws(Refusal) {
    try sync(temporary, O_RDONLY)
    guard rename(temporary, path) == 0 else { throw Self.trouble(errno) }
    try sync(folder, O_RDONLY | O_DIRECTORY)
  }

  private func sync(_ path: String, _ flags: CInt) throws(Refusal) {
    let descriptor = open(path, flags | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.trouble(errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Self.trouble(errno) }
  }

  /// The library failed to close the file, or what is in it is not what was written.
  static let incomplete = Refusal(
    .unavailable, "spreadsheet.write",
    Text(
      "工作簿没有写完整，服务器的数据盘可能已满；没有留下不完整的文件。请稍后再试。",
      "The workbook could not be written whole; perhaps the server's disk is full. Nothing half-written remains. "
        + "Try again later."))

  static func trouble(_ code: CInt) -> Refusal {
    let why = String(cString: strerror(code))
    return Refusal(
      .unavailable, "spreadsheet.write",
      Text(
        "工作簿无法写入（\(why)），没有留下不完整的文件。请稍后再试。",
        "The workbook cannot be written (\(why)); nothing half-written remains. Try again later."))
  }
}

/// Reads back how many cells a written sheet has. libxlsxwriter does not look whether its temporary files took
/// what it wrote, so that a full disk would leave a sheet that is cut short in a file that looks whole.
final class WrittenCount: PartContent {
  private(set) var cells = 0

  func begin(_ name: ElementName, _ attributes: AttributeList, depth: Int) {
    if depth == 4, name.is("c") { cells += 1 }
  }

  func text(_ bytes: UnsafeRawBufferPointer) {}
  func end(_ name: ElementName, depth: Int) {}
}
